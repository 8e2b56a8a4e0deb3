#!/bin/sh
# Installs dirsyncd as a systemd service, upgrades it, and takes it away again. Asks nothing, needs neither npm nor the internet, and
# may be run again at any time: configuration and data stay as they are, and the database is backed up before an upgrade.
set -eu

usage() {
	cat <<'END'
usage: install.sh [OPTION]...            installs or upgrades, from the checkout or release that this script lies in
       install.sh --secret NAME          reads a secret from standard input into /etc/dirsyncd/secrets/NAME, for { credential: NAME }
       install.sh --credentials          after changes by hand: tells systemd of all that lies in /etc/dirsyncd/secrets
       install.sh --uninstall [--purge]  takes it away; data, configuration and user only with --purge

  --prefix DIR   where the program goes (/opt/dirsyncd)
  --no-backup    upgrades without a backup of the database
  DESTDIR=DIR    in the environment: everything goes beneath DIR; nothing is started, and no user is made
END
}

program="src dist config deploy/systemd package.json LICENSE THIRD-PARTY-LICENSES sbom.cdx.json README.md CHANGELOG.md"
user=dirsyncd
root=${DESTDIR-}
etc=/etc/dirsyncd
state=/var/lib/dirsyncd
unit=/etc/systemd/system/dirsyncd.service
command=/usr/local/bin/dirsyncd
# Of the backups that upgrades made.
kept_backups=3

source=$(cd "$(dirname "$0")/../.." && pwd -P)
prefix=
action=install
secret=
purge=false
backup=true

main() {
	while [ $# -gt 0 ]; do
		case $1 in
			--prefix) prefix=${2:?"--prefix wants a directory"} && shift ;;
			--prefix=*) prefix=${1#*=} ;;
			--secret) action=secret && secret=${2:?"--secret wants a name"} && shift ;;
			--credentials) action=credentials ;;
			--uninstall) action=uninstall ;;
			--purge) purge=true ;;
			--no-backup) backup=false ;;
			-h | --help) usage && exit 0 ;;
			*) usage >&2 && exit 2 ;;
		esac
		shift
	done
	[ "$(id -u)" = 0 ] || [ -n "$root" ] || fail "run it as root"
	[ "$purge" = false ] || [ "$action" = uninstall ] || fail "--purge goes with --uninstall"
	find_prefix
	case $action in
		install) install_all ;;
		secret) write_secret ;;
		credentials)
			share_configuration
			write_credentials
			reload
			;;
		uninstall) uninstall_all ;;
	esac
}

# Where it is installed already, by its unit; one program at two places would be one too many.
find_prefix() {
	installed=
	while :; do case $prefix in ?*/) prefix=${prefix%/} ;; *) break ;; esac; done
	if [ -f "$root$unit" ]; then installed=$(sed -n 's|^ExecStart=\(/.*\)/bin/dirsyncd run .*|\1|p' "$root$unit"); fi
	if [ -n "$installed" ] && [ -n "$prefix" ] && [ "$installed" != "$prefix" ]; then
		fail "it is installed in $installed: leave --prefix out, or uninstall it first"
	fi
	prefix=${prefix:-${installed:-/opt/dirsyncd}}
	case $prefix in
		*[!A-Za-z0-9/._-]* | *..* | *//*) fail "--prefix may hold letters, digits and /._- alone" ;;
		/*/*) ;;
		*) fail "--prefix wants a directory of its own, like /opt/dirsyncd" ;;
	esac
	if [ -e "$root$prefix" ] && ! is_ours "$root$prefix"; then fail "$prefix is there already, and not dirsyncd's"; fi
}

is_ours() {
	grep -q '"name": "dirsyncd"' "$1/package.json" 2>/dev/null
}

install_all() {
	node=$(find_node) || fail "no Node for this machine in $source: npm ci brings it into a checkout, a release archive has it"
	if [ -L "$root$command" ]; then
		case $(readlink "$root$command") in */bin/dirsyncd) ;; *) fail "$command is there already, and not dirsyncd's" ;; esac
	elif [ -e "$root$command" ]; then
		fail "$command is there already, and not dirsyncd's"
	fi
	is_upgrade=false
	if is_ours "$root$prefix"; then is_upgrade=true; fi
	make_user
	make_directories
	if [ "$is_upgrade" = true ] && [ "$backup" = true ]; then back_up; fi
	install_program
	install_unit
	write_credentials
	reload
	say_next
}

find_node() {
	case $(uname -m) in
		x86_64) machine=x64 ;;
		aarch64) machine=arm64 ;;
		*) machine=none ;;
	esac
	if [ -x "$source/node_modules/node-linux-$machine/bin/node" ]; then
		echo "$source/node_modules/node-linux-$machine/bin/node"
	else
		command -v node
	fi
}

make_user() {
	if [ -n "$root" ]; then
		skip "the user $user, and files as its own: DESTDIR is set"
	elif ! id "$user" >/dev/null 2>&1; then
		useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin "$user"
		say "user $user is made"
	fi
}

make_directories() {
	for each in /etc /var/lib "$(dirname "$unit")" "$(dirname "$command")" "$(dirname "$prefix")"; do
		# One that is there may be closed to others: it stays so.
		if [ ! -d "$root$each" ]; then install -d -m 0755 "$root$each"; fi
	done
	install -d -m 0750 "$root$etc"
	install -d -m 0700 "$root$etc/secrets" "$root$state"
	sed "s|^database: .*|database: $state/dirsyncd.db|" "$source/config/dirsyncd.example.yaml" >"$root$etc/dirsyncd.example.yaml"
	chmod 0644 "$root$etc/dirsyncd.example.yaml"
	own "root:$user" "$etc"
	own "$user:$user" "$state"
	share_configuration
}

# Whoever wrote it, with whatever umask: the service reads it.
share_configuration() {
	if [ ! -f "$root$etc/dirsyncd.yaml" ]; then return; fi
	own "root:$user" "$etc/dirsyncd.yaml"
	chmod g+r "$root$etc/dirsyncd.yaml"
}

# By the program that is there already, which knows where its database is, whatever the folder; it may be running.
back_up() {
	if [ ! -f "$root$etc/dirsyncd.yaml" ]; then return; fi
	to=$root$state/before-upgrade-$(date -u +%Y%m%dT%H%M%SZ).db
	as=$(test -n "$root" || echo "$user")
	if said=$(DIRSYNCD_USER=$as "$root$prefix/bin/dirsyncd" backup "$to" --json --config "$root$etc/dirsyncd.yaml"); then
		say "the database is backed up to $to"
	else
		case $said in
			*'"code":"NOT_FOUND"'*) skip "a backup: there is no database yet" ;;
			*)
				# For a person; a configuration that nobody has finished yet keeps nothing back where there never was a database.
				if [ -z "$(find "$root$state" -maxdepth 1 -name '*.db')" ]; then
					case $said in *'"code":"CONFIG_INVALID"'*) skip "a backup: the configuration does not tell where a database is" && return ;; esac
				fi
				DIRSYNCD_USER=$as "$root$prefix/bin/dirsyncd" backup "$to" --config "$root$etc/dirsyncd.yaml" >&2 || true
				fail "the database could not be backed up, so nothing is changed; --no-backup upgrades nevertheless"
				;;
		esac
	fi
	# The folder is the service's: names that are not ours, with line ends say, would lead rm elsewhere.
	find "$root$state" -maxdepth 1 -name 'before-upgrade-*Z.db' ! -name '*[!0-9A-Za-z.-]*' | sort -r | tail -n "+$((kept_backups + 1))" |
		while read -r old; do rm -f "$old"; done
}

# Beside the old one first: a copy that breaks off, for want of space say, leaves what was there.
install_program() {
	if [ "$source" = "$(cd "$root$prefix" 2>/dev/null && pwd -P)" ]; then
		say "the program stays, since it is what this script lies in"
		return
	fi
	new=$root$prefix.new
	rm -rf "$new"
	mkdir -p "$new/bin" "$new/node_modules"
	for each in $program; do
		# A checkout is what its sources are, whatever was built of them before.
		if [ "$each" = dist ] && [ -e "$source/src" ]; then continue; fi
		if [ -e "$source/$each" ]; then (cd "$source" && tar -cf - "$each") | tar -xf - -C "$new" --no-same-owner; fi
	done
	packages | (cd "$source" && tar -cf - --exclude=better-sqlite3/deps --exclude=better-sqlite3/src -T -) | tar -xf - -C "$new" --no-same-owner
	cp "$source/deploy/systemd/dirsyncd" "$new/bin/dirsyncd"
	chmod -R u=rwX,go=rX "$new"
	chmod 0755 "$new/bin/dirsyncd" "$new/deploy/systemd/install.sh"
	try_program "$new" || {
		rm -rf "$new"
		fail "what is in $source does not run on this machine, so nothing is changed"
	}
	rm -rf "$root$prefix.old"
	if [ -e "$root$prefix" ]; then mv "$root$prefix" "$root$prefix.old"; fi
	mv "$new" "$root$prefix"
	rm -rf "$root$prefix.old"
	if command -v restorecon >/dev/null 2>&1; then restorecon -R "$root$prefix" || true; fi
	say "the program is in $prefix"
}

# With SQLite, which is made for one kind of machine: an archive for another one would do with a Node of this machine, up to there.
try_program() {
	DIRSYNCD_USER='' "$1/bin/dirsyncd" --version >/dev/null || return 1
	(cd "$1" && "$node" -e 'require("better-sqlite3")(":memory:").close()') || return 1
}

# What the lock file says is needed to run, and is there: a checkout has what tests need, too. A release has nothing else.
packages() {
	if [ ! -f "$source/package-lock.json" ]; then
		(cd "$source" && find node_modules -mindepth 1 -maxdepth 1 ! -name '.*')
		return
	fi
	(cd "$source" && "$node" -e '
		const { existsSync, readFileSync } = require("node:fs");
		const all = Object.entries(JSON.parse(readFileSync("package-lock.json", "utf8")).packages);
		const own = all.filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev && existsSync(path));
		for (const [path] of own) console.log(path);
	')
}

install_unit() {
	sed "s|/opt/dirsyncd|$prefix|g" "$source/deploy/systemd/dirsyncd.service" >"$root$unit.new"
	chmod 0644 "$root$unit.new"
	mv "$root$unit.new" "$root$unit"
	ln -sfn "$prefix/bin/dirsyncd" "$root$command"
}

write_secret() {
	case $secret in '' | .* | *[!A-Za-z0-9._-]*) fail "a secret's name may hold letters, digits and ._- alone" ;; esac
	[ -d "$root$etc/secrets" ] || fail "dirsyncd is not installed"
	(umask 077 && cat >"$root$etc/secrets/$secret.new")
	if [ ! -s "$root$etc/secrets/$secret.new" ]; then
		rm -f "$root$etc/secrets/$secret.new"
		fail "there was nothing on standard input"
	fi
	mv "$root$etc/secrets/$secret.new" "$root$etc/secrets/$secret"
	write_credentials
	reload
	say "in the configuration it is { credential: $secret }"
}

# A drop-in of ours, beside whatever drop-ins an administrator makes.
write_credentials() {
	drop_in=$root$unit.d/credentials.conf
	lines=
	for each in "$root$etc/secrets"/*; do
		name=$(basename "$each")
		case $name in
			'*' | *.new) continue ;;
			*[!A-Za-z0-9._-]*)
				skip "the secret $name: a name may hold letters, digits and ._- alone"
				continue
				;;
		esac
		chmod go= "$each"
		lines="$lines
LoadCredential=$name:$etc/secrets/$name"
	done
	if [ -z "$lines" ]; then
		rm -f "$drop_in"
		rmdir "$root$unit.d" 2>/dev/null || true
		return
	fi
	# At once: half of it would be a daemon without its password.
	mkdir -p "$root$unit.d"
	printf '# Written by install.sh: what lies in %s/secrets.\n[Service]%s\n' "$etc" "$lines" >"$drop_in.new"
	mv "$drop_in.new" "$drop_in"
}

has_systemd() {
	[ -z "$root" ] && [ -d /run/systemd/system ]
}

# A daemon that runs is started again, with the new program, unit and secrets, also one that is still starting or is tried again; one that
# was stopped is left so.
reload() {
	if ! has_systemd; then
		skip "to load and start the service: systemd does not run here"
		return
	fi
	systemctl daemon-reload
	case $(systemctl show --property=ActiveState --value dirsyncd) in
		active | reloading | refreshing | activating | failed)
			systemctl reset-failed dirsyncd || true
			systemctl restart dirsyncd || fail "it does not start: journalctl -u dirsyncd says why"
			say "the service is started again, and ready"
			;;
	esac
}

say_next() {
	if [ -f "$root$etc/dirsyncd.yaml" ]; then
		if has_systemd && ! systemctl --quiet is-enabled dirsyncd; then say "next: systemctl enable --now dirsyncd"; fi
		return
	fi
	cat <<END
next:
  dirsyncd init    asks for the domain and writes $etc/dirsyncd.yaml; or adapt a copy of $etc/dirsyncd.example.yaml
  dirsyncd check && dirsyncd plan
  systemctl enable --now dirsyncd
END
}

uninstall_all() {
	if has_systemd && [ -f "$unit" ]; then systemctl --quiet disable --now dirsyncd || true; fi
	if [ -L "$root$command" ] && [ "$(readlink "$root$command")" = "$prefix/bin/dirsyncd" ]; then rm -f "$root$command"; fi
	# Should this be killed and run again: half of the program would not be known for ours, and without the unit not where it is.
	rm -rf "$root$prefix.new" "$root$prefix.old"
	if [ -e "$root$prefix" ]; then mv "$root$prefix" "$root$prefix.old"; fi
	rm -rf "$root$prefix.old"
	rm -f "$root$unit.d/credentials.conf" "$root$unit.d/credentials.conf.new" "$root$unit.new"
	rm -f "$root/etc/systemd/system/multi-user.target.wants/dirsyncd.service" "$root$unit"
	if [ "$purge" = true ]; then rm -rf "$root$unit.d"; else rmdir "$root$unit.d" 2>/dev/null || true; fi
	if has_systemd; then
		systemctl daemon-reload
		systemctl reset-failed dirsyncd 2>/dev/null || true
	fi
	rm -f "$root$etc/dirsyncd.example.yaml"
	if [ "$purge" = false ]; then
		rmdir "$root$etc/secrets" "$root$etc" "$root$state" 2>/dev/null || true
		# Whose data is there keeps its number, or whoever gets it next could read them.
		if [ ! -e "$root$etc" ] && [ ! -e "$root$state" ]; then remove_user; fi
		say "dirsyncd is gone; what was left:$(left)"
		return
	fi
	rm -rf "$root${etc:?}" "$root${state:?}"
	remove_user
	say "dirsyncd is gone, with its data and configuration"
}

remove_user() {
	if [ -z "$root" ] && id "$user" >/dev/null 2>&1; then userdel "$user" || true; fi
}

left() {
	found=
	for each in "$etc" "$state"; do
		if [ -e "$root$each" ]; then found="$found $each,"; fi
	done
	if [ -z "$root" ] && id "$user" >/dev/null 2>&1; then found="$found the user $user"; fi
	found=${found%,}
	echo "${found:- nothing}"
}

own() {
	if [ -n "$root" ]; then return; fi
	chown "$1" "$2"
}

say() {
	echo "install.sh: $1"
}

skip() {
	echo "install.sh: left out: $1"
}

fail() {
	echo "install.sh: $1" >&2
	exit 1
}

main "$@"

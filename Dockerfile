# dirsyncd as an image: plain JavaScript on the official Node 24, as a user without rights, on a root file system that is read-only.
#
#   docker build -t dirsyncd .
#   docker run --read-only --cap-drop=ALL --security-opt=no-new-privileges -p 127.0.0.1:8640:8640 \
#     -v /etc/dirsyncd:/etc/dirsyncd:ro -v dirsyncd:/var/lib/dirsyncd dirsyncd
#
# deploy/compose/dirsyncd/dirsyncd.yaml is a configuration for it: the database in the volume, and a listener that others reach.

FROM node:24-bookworm-slim AS build
WORKDIR /opt/dirsyncd
COPY package.json package-lock.json .npmrc ./
# With the optional ones: the TypeScript compiler is one of them.
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json LICENSE ./
COPY src ./src
COPY config ./config
COPY deploy/container/dirsyncd ./bin/
RUN npm run build && rm -r src tsconfig*.json
# The image's own Node is the pinned one's kind, so the optional ones go. So does what is never loaded, 50 MB of 95: SQLite's sources,
# binaries for other machines, types and maps, and of date-fns (by pino-roll) all but its CommonJS and one language. What is left its
# user reads, whatever rights the files had where the image is built.
RUN npm prune --omit=dev --omit=optional --no-audit --no-fund \
	&& rm -r package-lock.json .npmrc node_modules/better-sqlite3/deps node_modules/better-sqlite3/src \
	&& find node_modules/better-sqlite3/prebuilds -type f ! -name "linux-$(node -p process.arch).node" -delete \
	&& find node_modules -type f \( -name "*.d.ts" -o -name "*.d.mts" -o -name "*.d.cts" -o -name "*.map" \) -delete \
	&& find node_modules/date-fns -type f -name "*.js" -delete \
	&& find node_modules/date-fns/locale -mindepth 1 -maxdepth 1 ! -name "_lib*" ! -name "en-US*" -exec rm -r {} + \
	&& find node_modules -type d -empty -delete \
	&& chmod -R u=rwX,go=rX . && chmod 0755 bin/dirsyncd

FROM node:24-bookworm-slim
# Where `run`, the healthcheck and the commands look for the configuration: a path of one's own is given here, not by --config.
ENV NODE_ENV=production DIRSYNCD_CONFIG=/etc/dirsyncd/dirsyncd.yaml
WORKDIR /opt/dirsyncd
COPY --from=build /opt/dirsyncd ./
RUN ln -s /opt/dirsyncd/bin/dirsyncd /usr/local/bin/dirsyncd \
	&& install -d /etc/dirsyncd && install -d -o node -g node -m 0700 /var/lib/dirsyncd
# The image's user "node", by number: Kubernetes (runAsNonRoot) looks at the number.
USER 1000:1000
VOLUME /var/lib/dirsyncd
EXPOSE 8640
# Live means that the process answers, wherever it listens; /health, which also looks at the sources, is for alerts: starting us again
# heals no directory.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["dirsyncd", "health", "--live"]
STOPSIGNAL SIGTERM
# The shell in it becomes node, which is process 1 and gets the signals itself.
ENTRYPOINT ["dirsyncd"]
CMD ["run"]

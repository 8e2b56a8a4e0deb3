import { useOpenLdap } from "../support/openldap.ts";
import { describeWith } from "../support/require.ts";
import { ldapModelContract } from "./ldap-model.ts";

describeWith(["slapd"], "the engine on an OpenLDAP server", () => {
	const server = useOpenLdap();
	ldapModelContract(server, "syncrepl", 120);
	ldapModelContract(server, "timestamp", 60);
});

import { describe, expect, it } from "vitest";
import type { SourceConfig } from "../../src/config/config.ts";
import { makeMissingSecret, makeSecret } from "../../src/config/secret.ts";
import { withoutSecrets } from "../../src/config/without-secrets.ts";
import { Failure } from "../../src/core/errors.ts";
import { makeActiveDirectorySource } from "../support/configs.ts";

const missing = makeMissingSecret(new Failure("SECRET_UNREADABLE", "the file cannot be read"));

function byCertificate(key: SourceConfig["tls"]["key"], authorizationId?: string): SourceConfig {
	const { tls, ...source } = makeActiveDirectorySource();
	return { ...source, bind: { sasl: "external", authorizationId }, tls: { ...tls, cert: "a certificate", key } };
}

describe("a source for who never connects", () => {
	it("has no password, whether or not it can be read", () => {
		for (const password of [missing, makeSecret("the password")]) {
			const { source, knowsIdentity } = withoutSecrets(makeActiveDirectorySource({ bind: { user: "svc", password } }));
			expect("sasl" in source.bind ? undefined : source.bind.password.reveal()).toBe("");
			expect(knowsIdentity).toBe(true);
		}
	});

	it.each([
		{ what: "and its key can be read", source: byCertificate(makeSecret("the key")), knows: true, cert: "a certificate" },
		{ what: "and its key cannot be read", source: byCertificate(missing), knows: false, cert: undefined },
		{ what: "that stands for somebody named", source: byCertificate(missing, "u:svc"), knows: true, cert: undefined },
	])("knows who it is by a client certificate $what: $knows", ({ source, knows, cert }) => {
		const found = withoutSecrets(source);
		expect([found.knowsIdentity, found.source.tls.cert]).toEqual([knows, cert]);
	});
});

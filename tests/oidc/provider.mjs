// A real OpenID Connect provider for the sign-in tests. Takes one line of JSON on stdin:
// {port, jwks, accounts: {subject: claims}, redirect}; prints its issuer once it listens; ends when stdin closes.
import { createServer } from "node:http";
import { createInterface } from "node:readline";

import { Provider } from "oidc-provider";

const input = createInterface({ input: process.stdin });
input.on("close", () => process.exit());
const { port, jwks, accounts, redirect } = JSON.parse(await new Promise((line) => input.once("line", line)));

const client = (alg, more) => ({
  client_id: `portal-${alg}`,
  client_secret: "only-for-tests",
  grant_types: ["client_credentials"],
  response_types: [],
  redirect_uris: [],
  id_token_signed_response_alg: alg,
  ...more,
});
const algorithms = [...new Set(jwks.keys.map((key) => key.alg))];

const configuration = {
  jwks,
  clients: [
    ...algorithms.map((alg) => client(alg, {})),
    client(algorithms[0], {
      client_id: "browser",
      grant_types: ["authorization_code"],
      response_types: ["code"],
      redirect_uris: [redirect],
    }),
  ],
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  cookies: { keys: ["only-for-tests"] },
  scopes: ["openid", "email", "profile", "api"],
  claims: { openid: ["sub"], email: ["email"], profile: ["name", "roles", "entity", "countries"] },
  conformIdTokenClaims: false,
  features: {
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, _resource, { idTokenSignedResponseAlg: alg }) => ({
        audience: "gcm-platform",
        scope: "api",
        accessTokenFormat: "jwt",
        accessTokenTTL: 3600,
        jwt: { sign: { alg } },
      }),
    },
  },
  ttl: { Interaction: 60, Session: 60, Grant: 60, IdToken: 3600 },
  findAccount: (_context, sub) => accounts[sub] && { accountId: sub, claims: () => ({ sub, ...accounts[sub] }) },
  extraTokenClaims: (_context, token) => accounts[token.accountId ?? token.clientId],
};

const server = createServer();
server.listen(port, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  server.on("request", new Provider(issuer, configuration).callback());
  console.log(issuer);
});

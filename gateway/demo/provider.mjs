// The demo's identity provider, by npm's oidc-provider: asks nobody for a proof, and says so. What it is to be comes as
// one line of JSON on standard input; it ends when that closes.
import { createServer } from 'node:https';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

console.log = console.error;
console.info = console.error;
const lines = createInterface({ input: process.stdin });
const told = await new Promise((resolve) => { lines.once('line', (line) => resolve(JSON.parse(line))); });
lines.on('close', () => process.exit(0));
const { Provider } = await import(pathToFileURL(`${told.package}/lib/index.js`));
const accounts = new Map(told.accounts.map((one) => [one.key, one]));
const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(told.issuer, {
  clients: [told.client],
  jwks: { keys: [{ ...signing, kid: randomBytes(8).toString('hex'), alg: 'RS256', use: 'sig' }] },
  acrValues: [told.verified],
  claims: { acr: null, sid: null, auth_time: null, iss: null, openid: ['sub'], email: ['email', 'email_verified'] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  clientAuthMethods: ['client_secret_basic'],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  findAccount: (_context, key) => accounts.has(key) && ({
    accountId: key,
    claims: async () => ({ sub: key, email: accounts.get(key).email, email_verified: true }),
  }),
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 3600, Grant: 3600, Session: 3600 },
});

const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

const page = (action) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The demo's provider</title><style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 36rem; padding: 0 1rem; color: #1b1b1b; }
button { font: inherit; display: block; width: 100%; text-align: left; padding: .6rem .9rem; margin: .5rem 0; background: #fff; border: 1px solid #1b1b1b; border-radius: 4px; }
button:hover { background: #f0f0f0; } :focus-visible { outline: 4px solid #2491ff; } small { display: block; color: #454545; }
</style></head><body><main><h1>The demo's provider</h1>
<p>A real provider would ask for a password and a second factor, and would have seen your papers. This one believes you, and
shares the e-mail address with the portal. Who are you?</p>
<form method="post" action="${action}">
${[...accounts.values()].map((one) => `<button name="account" value="${escaped(one.key)}">${escaped(one.name)}<small>${escaped(one.email)}, identity verified</small></button>`).join('\n')}
<h2>And two that do not work</h2>
<button name="account" value="${escaped([...accounts.keys()][0])} unverified">${escaped([...accounts.values()][0].name)}<small>identity not verified: the portal asks for more</small></button>
<button name="account" value="">Nobody<small>go back without signing in</small></button>
</form></main></body></html>`;

const body = async (request) => {
  let text = '';
  for await (const chunk of request) { text += chunk; if (text.length > 10_000) throw new Error('too long'); }
  return new URLSearchParams(text);
};

const interact = async (request, response) => {
  const { params, grantId } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(page(escaped(request.url)));
    return;
  }
  const [key, unverified] = ((await body(request)).get('account') ?? '').split(' ');
  if (!accounts.has(key)) { await provider.interactionFinished(request, response, { error: 'access_denied' }); return; }
  const grant = (grantId && await provider.Grant.find(grantId)) || new provider.Grant({ accountId: key, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  await provider.interactionFinished(request, response, {
    login: { accountId: key, acr: unverified ? 'urn:demo:unverified' : told.verified }, consent: { grantId: await grant.save() },
  }, { mergeWithLastSubmission: false });
};

const answer = provider.callback();
const server = createServer({ cert: readFileSync(told.certificate), key: readFileSync(told.key) }, (request, response) => {
  if (!request.url.startsWith('/interaction/')) { answer(request, response); return; }
  interact(request, response).catch(() => { response.statusCode = 400; response.end('Please begin again at the portal.'); });
});
server.on('error', () => process.exit(1));
server.listen(told.port, told.host, () => process.stdout.write('ready\n'));

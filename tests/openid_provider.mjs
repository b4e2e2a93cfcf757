// A certified OpenID provider (oidc-provider) for tests. It does at once what it is asked to by lines of JSON on its
// standard input, and answers each with a line. Usage: node openid_provider.mjs PACKAGE CERTIFICATE KEY [HOST]
import { createServer } from 'node:https';
import { createHmac, generateKeyPairSync, createPrivateKey, sign as signWith, constants } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

console.log = console.error; // what the library tells is not an answer
console.info = console.error;
const [, , folder, certificate, key, host = 'localhost'] = process.argv;
const { Provider } = await import(pathToFileURL(`${folder}/lib/index.js`));
const state = { account: 'someone', acr: undefined, claims: {}, decline: false, clients: [], acrValues: [], away: false };
let issuer; let callback; let provider; let keys = []; let lastTokenRequest;

const fresh = (kid) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
};

const build = () => {
  provider = new Provider(issuer, {
    clients: state.clients,
    jwks: { keys },
    acrValues: state.acrValues,
    claims: { acr: null, sid: null, auth_time: null, iss: null, openid: ['sub', 'ial', 'aal'], email: ['email', 'email_verified', 'all_emails'] },
    cookies: { keys: ['a test'] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false }, backchannelLogout: { enabled: true }, jwtUserinfo: { enabled: true },
      rpInitiatedLogout: { enabled: true }, introspection: { enabled: true }, revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'mail.submit mail.read', audience: resource, accessTokenTTL: 600, accessTokenFormat: state.tokens ?? 'jwt', jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
    findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, ...state.claims }) }),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Grant: 600, Session: 3600 },
    renderError: async (ctx, out) => { ctx.type = 'json'; ctx.body = out; },
  });
  provider.on('server_error', (_ctx, error) => process.stderr.write(`${error.stack}\n`));
  provider.on('backchannel.error', (_ctx, error) => process.stderr.write(`${error.stack}\n`));
  callback = provider.callback();
};

const interact = async (request, response) => {
  const { params, grantId } = await provider.interactionDetails(request, response);
  if (state.decline) return provider.interactionFinished(request, response, { error: 'access_denied' });
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: state.account, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  if (params.resource) grant.addResourceScope(params.resource, params.scope);
  return provider.interactionFinished(request, response, {
    login: { accountId: state.account, acr: state.acr, amr: ['pwd', 'otp'] }, consent: { grantId: await grant.save() },
  }, { mergeWithLastSubmission: false });
};

const base64url = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

// Signs what it is told to, as well or as badly: with its own key, another one, a shared secret, or not at all.
const forge = ({ header, claims, by = 'own', secret = '' }) => {
  const head = { alg: 'RS256', kid: keys[0].kid, ...header };
  const octets = `${base64url(head)}.${base64url(claims)}`;
  if (by === 'nobody') return `${octets}.`;
  if (by === 'secret') return `${octets}.${createHmac('sha256', secret).update(octets).digest('base64url')}`;
  const jwk = by === 'own' ? keys[0] : fresh('stranger');
  const signature = signWith('sha256', Buffer.from(octets), { key: createPrivateKey({ key: jwk, format: 'jwk' }), padding: constants.RSA_PKCS1_PADDING });
  return `${octets}.${signature.toString('base64url')}`;
};

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
  if (state.away) { response.statusCode = 503; response.end(); return; }
  if (request.url.startsWith('/interaction/')) {
    interact(request, response).catch((error) => { process.stderr.write(`${error.stack}\n`); response.statusCode = 500; response.end(); });
    return;
  }
  if (request.url.startsWith('/token')) {
    lastTokenRequest = { authorization: request.headers.authorization ?? '' };
    if (state.idToken) {
      request.resume();
      request.on('end', () => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ access_token: 'none', token_type: 'Bearer', id_token: state.idToken }));
      });
      return;
    }
  }
  if (state.userinfo && request.url.startsWith('/me')) {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(state.userinfo));
    return;
  }
  callback(request, response);
});

const does = {
  set: (line) => { Object.assign(state, line.state); if (line.build) build(); return {}; },
  rotate: () => { keys = [fresh(`key-${Date.now()}`)]; build(); return { kid: keys[0].kid }; },
  forge: (line) => ({ token: forge(line) }),
  keys: () => ({ keys: keys.map(({ kty, n, e, kid, alg, use }) => ({ kty, n, e, kid, alg, use })) }),
  last: () => ({ ...lastTokenRequest }),
};

server.listen(0, '127.0.0.1', () => {
  issuer = `https://${host}:${server.address().port}`;
  keys = [fresh('first')];
  build();
  process.stdout.write(`${JSON.stringify({ issuer })}\n`);
  createInterface({ input: process.stdin })
    .on('line', (text) => {
      const line = JSON.parse(text);
      let answer;
      try { answer = does[line.do](line); } catch (error) { answer = { error: String(error.stack) }; }
      process.stdout.write(`${JSON.stringify(answer)}\n`);
    })
    .on('close', () => process.exit(0));
});

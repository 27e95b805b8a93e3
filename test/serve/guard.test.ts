import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { admit } from '../../src/serve/guard.js';

const loopback = { hosts: ['127.0.0.1'], token: null };

function answer(
  headers: Readonly<Record<string, string>>,
  { method = 'GET', url = '/', options = loopback as Parameters<typeof admit>[1] } = {},
) {
  return admit({ method, url, header: (name) => headers[name] }, options);
}

describe('admission', () => {
  it('takes the names of loopback, with any port: it may be forwarded', () => {
    for (const host of ['localhost', 'LOCALHOST:8484', '127.0.0.1:1', '[::1]:8484', '[::1]'])
      assert.equal(answer({ host }), undefined, host);
  });

  it('refuses every other Host, and none', () => {
    const foreign = [
      'evil.example',
      'localhost.evil.example',
      'localhost@evil.example',
      '127.0.0.1.evil.example:8484',
      '127.0.0.2',
      '[::2]',
      '::1',
      'localhost:8484:1',
      '',
    ];
    for (const host of foreign) assert.equal(answer({ host })?.status, 403, host);
    assert.equal(answer({})?.status, 403);
  });

  it('refuses the scripts and frames of other sites, and lets a link be opened', () => {
    const host = 'localhost:8484';
    assert.equal(answer({ host, origin: 'http://localhost:8484' }), undefined);
    for (const origin of ['http://evil.example', 'null', 'http://localhost:1', 'https://localhost:8484'])
      assert.equal(answer({ host, origin })?.status, 403, origin);
    const site = (value: string, mode = 'cors', dest = 'empty') =>
      answer({ host, 'sec-fetch-site': value, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest });
    assert.equal(site('same-origin'), undefined);
    assert.equal(site('none', 'navigate', 'document'), undefined);
    assert.equal(site('cross-site', 'navigate', 'document'), undefined);
    assert.equal(site('cross-site')?.status, 403);
    assert.equal(site('same-site')?.status, 403);
    assert.equal(site('cross-site', 'no-cors', 'image')?.status, 403);
    assert.equal(site('cross-site', 'navigate', 'iframe')?.status, 403);
  });

  it('only reads', () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      assert.equal(answer({ host: 'localhost' }, { method })?.status, 405, method);
    assert.equal(answer({ host: 'localhost' }, { method: 'HEAD' }), undefined);
  });
});

describe('the token', () => {
  const options = { hosts: ['box'], token: 'secret-token' };
  const host = 'box:8484';

  it('is asked of every request', () => {
    assert.equal(answer({ host }, { options })?.status, 401);
    assert.equal(answer({ host, cookie: 'satin-token=secret-toke' }, { options })?.status, 401);
    assert.equal(answer({ host, cookie: 'x-satin-token=secret-token' }, { options })?.status, 401);
    assert.equal(answer({ host }, { options, url: '/?token=wrong' })?.status, 401);
    assert.equal(answer({ host, cookie: 'a=b; satin-token=secret-token' }, { options }), undefined);
  });

  it('moves from the address into a cookie that scripts do not see', () => {
    const refusal = answer({ host }, { options, url: '/run?run=a%2Fb&token=secret-token' });
    assert.ok(refusal?.status === 303);
    assert.equal(refusal.location, '/run?run=a%2Fb');
    assert.match(refusal.cookie, /^satin-token=secret-token; HttpOnly; SameSite=\w+; Path=\/$/);
  });

  it('leads to no other host', () => {
    const refusal = answer({ host }, { options, url: '//evil.example/?token=secret-token' });
    assert.ok(refusal?.status !== 303 || !refusal.location.startsWith('//'));
  });

  it('does not replace the check of the Host', () => {
    assert.equal(
      answer({ host: 'evil.example', cookie: 'satin-token=secret-token' }, { options })?.status,
      403,
    );
  });
});

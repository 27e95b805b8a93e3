import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import type {
  Comparison,
  Curves,
  EvaluationDetails,
  Gallery,
  Listing,
  RunDetails,
} from '../../src/serve/api.js';
import { application } from '../../src/serve/application.js';
import {
  ageLock,
  appendEvents,
  end,
  epoch,
  start,
  step,
  temporary,
  wholeRun,
  writeEvaluation,
  writeRun,
} from '../support/served-folder.js';

const page = new Map([
  ['/index.html', { body: Uint8Array.from(Buffer.from('<!doctype html>')), type: 'text/html' }],
  ['/assets/a.js', { body: Uint8Array.from(Buffer.from('1')), type: 'text/javascript' }],
]);

/** A served folder, beside one that is not served. */
function served() {
  const place = realpathSync(temporary());
  const root = join(place, 'runs');
  mkdirSync(root);
  writeRun(join(place, 'secret'), wholeRun);
  const bugs: unknown[] = [];
  const app = application({
    root,
    page,
    hosts: [],
    token: null,
    onBug: (error) => bugs.push(error),
    pollMilliseconds: 30,
  });
  const get = (path: string) => app.request(`http://localhost${path}`, { headers: { host: 'localhost' } });
  const json = async <T>(path: string): Promise<T> => {
    const answer = await get(path);
    assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
    return (await answer.json()) as T;
  };
  return { place, root, app, get, json, bugs };
}

describe('the listing', () => {
  it('names runs and evaluations at any depth, with their states', async () => {
    const { root, json } = served();
    writeRun(join(root, 'done'), wholeRun);
    writeRun(join(root, 'study/silu/0/run'), [start, step(1), step(2)], { isAlive: true });
    writeRun(join(root, 'dead'), [start, step(1)], { isAlive: true });
    ageLock(join(root, 'dead'));
    const at = { time: '2026-01-01T00:00:09.000Z', epoch: 1, step: 1 };
    writeRun(join(root, 'stopped'), [
      start,
      step(1),
      { type: 'interrupted', ...at },
      { type: 'checkpoint', ...at, file: 'last' },
    ]);
    writeRun(join(root, 'broke'), [start, step(1), { type: 'failed', ...at, message: 'The loss is NaN.' }]);
    writeRun(join(root, 'new'), [], { isAlive: true });
    writeEvaluation(join(root, 'done/evaluations/a'));
    const { runs, evaluations, isCut } = await json<Listing>('/api/runs');
    assert.deepEqual(Object.fromEntries(runs.map(({ id, status }) => [id, status])), {
      broke: 'failed',
      dead: 'stale',
      done: 'finished',
      new: 'training',
      stopped: 'interrupted',
      'study/silu/0/run': 'training',
    });
    const done = runs.find(({ id }) => id === 'done')!;
    assert.deepEqual(done.best, { epoch: 2, clean: 0.5, robust: 0.4 });
    assert.deepEqual([done.epoch, done.epochs, done.seed, done.activation], [3, 3, 7, 'silu']);
    const live = runs.find(({ id }) => id.startsWith('study'))!;
    assert.equal(live.secondsLeft, 28, 'one step a second, 28 of 30 to go');
    assert.deepEqual(
      evaluations.map(({ id, robust }) => [id, robust]),
      [['done/evaluations/a', 0.25]],
    );
    assert.equal(isCut, false);
  });

  it('goes on without a run that vanishes, and finds one that comes', async () => {
    const { root, get, json, bugs } = served();
    writeRun(join(root, 'a'), wholeRun);
    writeRun(join(root, 'b'), wholeRun);
    writeEvaluation(join(root, 'e'));
    assert.equal((await json<Listing>('/api/runs')).runs.length, 2);
    await json('/api/run?run=a');
    await json('/api/evaluation?evaluation=e');
    for (const name of ['a', 'e']) rmSync(join(root, name), { recursive: true });
    for (const path of [
      'run?run=a',
      'curves?run=a',
      'compare?run=b&run=a',
      'evaluation?evaluation=e',
      'gallery?evaluation=e',
      'picture?evaluation=e&image=0&kind=change',
    ])
      assert.equal((await get(`/api/${path}`)).status, 404, path);
    writeRun(join(root, 'c'), wholeRun);
    const { runs } = await json<Listing>('/api/runs');
    assert.deepEqual(
      runs.map(({ id }) => id),
      ['b', 'c'],
    );
    rmSync(root, { recursive: true });
    assert.deepEqual((await json<Listing>('/api/runs')).runs, []);
    assert.deepEqual(bugs, []);
  });

  it('is told live of what changes', async () => {
    const { root, app } = served();
    writeRun(join(root, 'a'), [start, step(1)], { isAlive: true });
    const leave = new AbortController();
    const answer = await app.request('http://localhost/api/live', {
      headers: { host: 'localhost' },
      signal: leave.signal,
    });
    assert.match(answer.headers.get('content-type')!, /^text\/event-stream/);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let told = '';
    const until = async (wanted: RegExp) => {
      while (!wanted.test(told)) told += (await reader.read()).value ?? assert.fail('the stream ended');
    };
    await until(/event: change\ndata: .*"id":"a","name":"tiny".*"step":1,/);
    appendEvents(join(root, 'a'), [
      ...Array.from({ length: 9 }, (_, at) => step(at + 2)),
      epoch(1, 0.5),
      end,
    ]);
    await until(/"id":"a".*"status":"finished".*"robust":0.5/);
    rmSync(join(root, 'a'), { recursive: true });
    await until(/"gone":\["a"\]/);
    await reader.cancel();
    leave.abort();
  });
});

describe('a run', () => {
  it('comes with its curves, ε with its warm-up, recipe and provenance', async () => {
    const { root, json } = served();
    writeRun(join(root, 'a'), wholeRun);
    writeEvaluation(join(root, 'a/evaluations/x'));
    const details = await json<RunDetails>('/api/run?run=a');
    assert.equal(details.parameters, 1234);
    assert.equal(details.epochs.length, 3);
    assert.match(details.recipe, /^name: tiny\n/);
    assert.ok(details.provenance.some(([name, value]) => name === 'engine.libtorch' && value === '1.13.1'));
    assert.deepEqual(
      details.evaluations.map(({ id }) => id),
      ['a/evaluations/x'],
    );
    const curves = await json<Curves>('/api/curves?run=a');
    assert.equal(curves.read, 1);
    assert.equal(curves.stepsPerEpoch, 10);
    assert.ok(Math.abs(curves.epsilon[9]! - 0.05) < 1e-12, 'half of two epochs of warm-up');
    assert.equal(curves.epsilon[29], 0.1);
  });

  it('is shown in spite of a broken recipe, manifest and log', async () => {
    const { root, json, bugs } = served();
    writeRun(join(root, 'a'), [start, step(1)]);
    writeFileSync(join(root, 'a/recipe.json'), '{"name": 3, "model": [');
    writeFileSync(join(root, 'a/manifest.json'), '[1, 2]');
    appendFileSync(join(root, 'a/events.jsonl'), '{"type":"ep\n\0\0\0\n{"type":"step"');
    const { summary, brokenLines } = await json<RunDetails>('/api/run?run=a');
    assert.deepEqual([summary.name, summary.activation, brokenLines], ['a', null, 2]);
    assert.deepEqual((await json<Curves>('/api/curves?run=a&from=x&to=NaN&width=1e99')).step, [1]);
    assert.deepEqual(bugs, []);
  });

  it('is compared with others by the keys in which the recipes differ', async () => {
    const { root, json } = served();
    writeRun(join(root, 'a'), wholeRun);
    writeRun(join(root, 'b'), wholeRun.slice(0, 9), { activation: 'relu' });
    const { recipe, provenance, runs, epochs } = await json<Comparison>('/api/compare?run=a&run=b&run=a');
    assert.deepEqual(recipe, [{ key: 'model.activation', values: ['silu', 'relu'] }]);
    assert.deepEqual(provenance, []);
    assert.deepEqual(
      runs.map(({ id }) => id),
      ['a', 'b'],
    );
    assert.deepEqual(
      epochs.map(({ length }) => length),
      [3, 0],
    );
  });
});

describe('an evaluation', () => {
  it('tells attacks, outcomes and classes, and accuracy against ε from others of the same weights', async () => {
    const { root, json } = served();
    writeEvaluation(join(root, 'a'), { epsilon: 0.1 });
    writeEvaluation(join(root, 'b'), { epsilon: 0.2 });
    const details = await json<EvaluationDetails>('/api/evaluation?evaluation=a');
    assert.deepEqual(
      details.attacks.map(({ name, broken }) => [name, broken]),
      [
        ['apgd-ce', 1],
        ['apgd-dlr', 1],
      ],
    );
    assert.deepEqual(details.outcomes, [
      { name: 'withstands every attack', count: 1 },
      { name: 'broken by apgd-ce', count: 1 },
      { name: 'broken by apgd-dlr', count: 1 },
      { name: 'misclassified without attack', count: 1 },
    ]);
    assert.deepEqual(
      details.perClass.map(({ class: name, clean, robust }) => [name, clean, robust]),
      [
        ['plane', 1, 0.5],
        ['car', 0.5, 0],
      ],
    );
    assert.deepEqual(
      details.curve.map(({ id, epsilon }) => [id, epsilon]),
      [
        ['a', 0.1],
        ['b', 0.2],
      ],
    );
    assert.deepEqual(details.found, {
      total: 2,
      byClass: [
        [0, 1],
        [1, 1],
      ],
      byAttack: [
        ['apgd-ce', 1],
        ['apgd-dlr', 1],
      ],
    });
  });

  it('is shown while it goes on', async () => {
    const { root, json } = served();
    writeEvaluation(join(root, 'a'), { isFinished: false });
    const { result, progress, found } = await json<EvaluationDetails>('/api/evaluation?evaluation=a');
    assert.equal(result, null);
    assert.deepEqual(progress, { right: 3, wrong: 1, attacks: [{ name: 'apgd-ce', broken: 1, stood: 2 }] });
    assert.equal(found.total, 1);
    assert.equal((await json<Gallery>('/api/gallery?evaluation=a')).total, 1);
  });

  it('has a gallery by class and by attack', async () => {
    const { root, json } = served();
    writeEvaluation(join(root, 'a'));
    const idsOf = async (query: string) =>
      (await json<Gallery>(`/api/gallery?evaluation=a${query}`)).examples.map(({ id }) => id);
    assert.deepEqual(await idsOf(''), [10, 11]);
    assert.deepEqual(await idsOf('&class=1'), [11]);
    assert.deepEqual(await idsOf('&attack=apgd-ce'), [10]);
    assert.deepEqual(await idsOf('&attack=apgd-ce&class=1'), []);
    assert.deepEqual(await idsOf('&page=99'), [10, 11]);
    const { factor, width, height } = await json<Gallery>('/api/gallery?evaluation=a');
    assert.deepEqual([factor, width, height], [5, 2, 2]);
  });

  it('has pictures of the original, the attacked image and the magnified change', async () => {
    const { root, get } = served();
    writeEvaluation(join(root, 'a'));
    const pixels = async (kind: string) => {
      const answer = await get(`/api/picture?evaluation=a&image=1&kind=${kind}&factor=5`);
      assert.equal(answer.headers.get('content-type'), 'image/png');
      const { data } = await sharp(Buffer.from(await answer.arrayBuffer()))
        .greyscale()
        .raw()
        .toBuffer({ resolveWithObject: true });
      return [...data];
    };
    assert.deepEqual(await pixels('original'), [40, 50, 60, 70]);
    assert.deepEqual(await pixels('adversarial'), [66, 50, 60, 70]);
    assert.deepEqual(await pixels('change'), [255, 128, 128, 128]);
    for (const query of [
      'image=2&kind=original',
      'image=-1&kind=original',
      'image=0.5&kind=original',
      'image=0&kind=other',
      'kind=original',
    ])
      assert.equal((await get(`/api/picture?evaluation=a&${query}`)).status, 404, query);
  });

  it('is refused in a sentence when a file is damaged', async () => {
    const { root, get, bugs } = served();
    writeEvaluation(join(root, 'a'));
    truncateSync(join(root, 'a/originals.safetensors'), 200);
    assert.equal((await get('/api/evaluation?evaluation=a')).status, 422);
    writeEvaluation(join(root, 'b'));
    writeFileSync(join(root, 'b/manifest.json'), '{"evaluation": 1}');
    const answer = await get('/api/evaluation?evaluation=b');
    assert.equal(answer.status, 422);
    assert.match(((await answer.json()) as { error: string }).error, /^In the manifest /);
    assert.deepEqual(bugs, []);
  });
});

describe('a demo', () => {
  const write = (folder: string) => {
    mkdirSync(join(folder, 'networks'), { recursive: true });
    mkdirSync(join(folder, 'images'));
    const networks = ['ReLU', 'SiLU'].map((title) => ({ title }));
    writeFileSync(join(folder, 'demo.json'), JSON.stringify({ data: 'cifar10:test', networks }));
    writeFileSync(join(folder, 'networks', '1-relu.gradient.onnx'), 'network');
    writeFileSync(join(folder, 'images', '0000-cat.png'), 'picture');
    writeFileSync(join(folder, 'index.html'), '<script src="own.js"></script>');
    writeFileSync(join(folder, 'own.js'), 'fetch("/api/runs")');
  };

  it('is listed, and its page computes in workers with what lies in its folder', async () => {
    const { root, get, json } = served();
    write(join(root, 'a b', 'demo'));
    const { demos, runs } = await json<Listing>('/api/runs');
    assert.deepEqual(demos, [{ id: 'a b/demo', titles: ['ReLU', 'SiLU'], data: 'cifar10:test' }]);
    assert.deepEqual(runs, []);
    const of = (path: string) => get(`/demo/a%20b/demo/${path}`);
    const index = await of('');
    assert.equal(index.status, 200);
    assert.match(index.headers.get('content-security-policy')!, /worker-src 'self'/);
    const html = await index.text();
    const [, script] = /src="\.\/(assets\/[^"]+\.js)"/.exec(html) ?? [];
    for (const [path, type] of [
      [script!, 'text/javascript; charset=utf-8'],
      ['licences/onnxruntime-web.txt', 'text/plain; charset=utf-8'],
      ['demo.json', 'application/json'],
      ['networks/1-relu.gradient.onnx', 'application/octet-stream'],
      ['images/0000-cat.png', 'image/png'],
    ] as const) {
      const answer = await of(path);
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers.get('content-type'), type, path);
    }
  });

  it('runs no script of its own folder, and leads to nothing else', async () => {
    const { root, place, get } = served();
    write(join(root, 'demo'));
    write(join(place, 'elsewhere'));
    symlinkSync(join(place, 'elsewhere'), join(root, 'link'));
    symlinkSync(join(place, 'elsewhere', 'own.js'), join(root, 'demo', 'images', 'own.png'));
    writeRun(join(root, 'run'), wholeRun);
    assert.doesNotMatch(await (await get('/demo/demo/')).text(), /own\.js/);
    for (const path of [
      'demo/own.js',
      'demo/index.html',
      'demo/networks/missing.onnx',
      'demo/images/own.png',
      'demo/images/..%2f..%2fdemo%2fown.js',
      'demo',
      'link/',
      'link/demo.json',
      'run/',
      'run/demo.json',
      'run/recipe.json',
      '..%2felsewhere/demo.json',
      'demo/%',
      'assets/missing.js',
    ])
      assert.equal((await get(`/demo/${path}`)).status, 404, path);
  });
});

describe('a path', () => {
  it('leads nowhere outside the served folder', async () => {
    const { place, root, get } = served();
    writeRun(join(root, 'a'), wholeRun);
    symlinkSync(join(place, 'secret'), join(root, 'link'));
    symlinkSync(join(root, 'a'), join(root, 'inner'));
    const outside = [
      '../secret',
      'a/../../secret',
      'link',
      '/etc',
      join(place, 'secret'),
      'a/%2e%2e/%2e%2e/secret',
      '..',
      '../runs/a',
      'a\0',
      'a//b',
      './a',
      'a/',
      'x'.repeat(5000),
    ];
    for (const run of outside)
      for (const what of ['run', 'curves', 'compare'])
        assert.equal(
          (await get(`/api/${what}?run=${encodeURIComponent(run)}`)).status,
          404,
          `${what} ${run}`,
        );
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/assets/../../package.json',
      '/assets/%2e%2e%2fpackage.json',
      '//etc/passwd',
      '/recipe.json',
      '/a/recipe.json',
    ])
      assert.equal((await get(path)).status, 404, path);
  });

  it('leads to no file outside through a link inside a run or an evaluation', async () => {
    const { place, root, get, json } = served();
    writeRun(join(root, 'a'), wholeRun);
    rmSync(join(root, 'a/recipe.json'));
    writeFileSync(join(place, 'secret.json'), '{"name":"secret"}');
    symlinkSync(join(place, 'secret.json'), join(root, 'a/recipe.json'));
    assert.equal((await json<RunDetails>('/api/run?run=a')).summary.name, 'a');
    renameSync(join(root, 'a/events.jsonl'), join(place, 'events.jsonl'));
    symlinkSync(join(place, 'events.jsonl'), join(root, 'a/events.jsonl'));
    assert.equal((await get('/api/run?run=a')).status, 404);
    writeEvaluation(join(root, 'e'));
    renameSync(join(root, 'e/adversarial.safetensors'), join(place, 'adversarial.safetensors'));
    symlinkSync(join(place, 'adversarial.safetensors'), join(root, 'e/adversarial.safetensors'));
    assert.equal((await get('/api/picture?evaluation=e&image=0&kind=adversarial')).status, 404);
  });
});

describe('every answer', () => {
  it('forbids other sites, frames and foreign scripts', async () => {
    const { get } = served();
    for (const path of ['/', '/api/runs', '/nothing', '/api/run?run=nothing']) {
      const { headers } = await get(path);
      assert.match(
        headers.get('content-security-policy') ?? '',
        /default-src 'none'.*frame-ancestors 'none'/,
        path,
      );
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(headers.get('access-control-allow-origin'), null, path);
    }
  });

  it('is refused to a foreign Host and a foreign Origin', async () => {
    const { app } = served();
    const status = async (headers: Record<string, string>) =>
      (await app.request('http://localhost/api/runs', { headers })).status;
    assert.equal(await status({ host: 'localhost' }), 200);
    assert.equal(await status({ host: 'evil.example' }), 403);
    assert.equal(await status({ host: 'localhost', origin: 'http://evil.example' }), 403);
  });
});

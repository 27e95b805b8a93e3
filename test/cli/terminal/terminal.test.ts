import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import type { DisplayStream } from '../../../src/cli/terminal/progress-bar.js';
import { createDisplay } from '../../../src/cli/terminal/terminal.js';
import type { RunEvent } from '../../../src/runs/events.js';

interface Recorded {
  readonly stream: DisplayStream;
  /** Everything that was written. */
  text(): string;
}

function record(terminal: { readonly columns: number; readonly colors?: boolean } | undefined): Recorded {
  let text = '';
  const stream: DisplayStream = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    }),
    terminal === undefined
      ? {}
      : { isTTY: true, columns: terminal.columns, hasColors: () => terminal.colors === true },
  );
  return { stream, text: () => text };
}

const time = (seconds: number) => new Date(seconds * 1000).toISOString();
const start: RunEvent = { type: 'start', time: time(0), epochs: 3, stepsPerEpoch: 10, parameters: 5 };

function step(number: number): RunEvent {
  const epoch = Math.ceil(number / 10);
  return {
    type: 'step',
    time: time(number * 2),
    epoch,
    step: number,
    loss: 0.5,
    accuracy: 0.5,
    learningRate: 0.1,
    imagesPerSecond: 1234,
  };
}

function epoch(number: number): RunEvent & { readonly type: 'epoch' } {
  const measurements = {
    'train/loss': 0.8123,
    'validation/clean': 0.812,
    'validation/robust/linf-8-255/pgd-10': 0.623,
  };
  return { type: 'epoch', time: time(0), epoch: number, step: number * 10, seconds: 125, measurements };
}

const table = [
  '  epoch    img/s     loss   clean  robust  time left',
  '    1/3    1,234   0.8123   81.2%   62.3%     4m 10s',
  '    2/3        -   0.8123   81.2%   62.3%     2m 05s',
  '',
].join('\n');

describe('the display of a training run', () => {
  it('without a terminal is plain lines: no bar, no escape', () => {
    const { stream, text } = record(undefined);
    const display = createDisplay({ stream });
    for (const event of [start, step(1), step(2), epoch(1), epoch(2)]) display.event(event);
    display.close();
    assert.equal(text(), table);
  });

  it('without a terminal says once a minute where a long epoch is', () => {
    const { stream, text } = record(undefined);
    let clock = 0;
    const display = createDisplay({ stream, now: () => clock });
    display.event(start);
    for (let number = 1; number <= 9; number++) {
      clock += 20_000;
      display.event(step(number));
    }
    assert.match(text(), /^(epoch 1\/3 {2}[369]\/10 {2}\d+s left {2}loss 0\.500 {2}1,234 img\/s\n){3}$/);
  });

  it('on a terminal has a bar with the time that is left, which lines replace', () => {
    const { stream, text } = record({ columns: 120 });
    const display = createDisplay({ stream });
    for (const event of [start, step(1)]) display.event(event);
    display.close();
    for (const event of [step(5), epoch(1), epoch(2)]) display.event(event);
    display.close();
    assert.match(text(), /epoch 1\/3 █+░+ {2}50% {2}50s left {2}loss 0\.500 {2}1,234 img\/s/);
    assert.ok(text().endsWith(table.split('\n').slice(1).join('\n')));
  });

  it('takes up a resumed run where it was', () => {
    const { stream, text } = record(undefined);
    const display = createDisplay({ stream, history: [start, step(1), epoch(1)] });
    display.event({ type: 'resume', time: time(0), epoch: 2, step: 10 });
    display.event(epoch(2));
    assert.equal(
      text(),
      `Resumed at step 10, in epoch 2.\n${table.split('\n')[0]}\n${table.split('\n')[2]}\n`,
    );
  });

  describe('at the end', () => {
    /** The last line, after epochs of these robust accuracies. */
    const ending = (robust: readonly (number | undefined)[], history = 0) => {
      const events = robust.map((value, index): RunEvent => {
        const { measurements, ...event } = epoch(index + 1);
        const { 'validation/robust/linf-8-255/pgd-10': _, ...others } = measurements;
        return {
          ...event,
          measurements: {
            ...others,
            'train/robust/linf-8-255/pgd-5': 0.99,
            ...(value !== undefined && { 'validation/robust/linf-8-255/pgd-10': value }),
          },
        };
      });
      const { stream, text } = record(undefined);
      const display = createDisplay({ stream, history: [start, ...events.slice(0, history)] });
      for (const event of events.slice(history)) display.event(event);
      display.event({ type: 'end', time: time(0), epoch: robust.length, step: 10, seconds: 62 });
      return text().trimEnd().split('\n').at(-1);
    };

    it('says how far the last epoch lies behind the best, of epochs before a resume too', () => {
      const line =
        'Trained 4 epochs in 1m 02s. Best after epoch 2: 45.2% under pgd-10; last epoch: 41.0%. ' +
        'The best weights are saved and used by evaluate.';
      assert.equal(ending([0.3, 0.452, 0.452, 0.41]), line);
      assert.equal(ending([0.3, 0.452, 0.44, 0.41], 3), line);
    });

    it('says nothing of it where no epoch was better than the last, or none was measured', () => {
      const line = 'Trained 3 epochs in 1m 02s.';
      assert.equal(ending([0.3, 0.4, 0.5]), line);
      assert.equal(ending([0.3, 0.5, 0.5]), line);
      assert.equal(ending([undefined, undefined, undefined]), line);
    });
  });

  it('has colours only where the terminal has: NO_COLOR makes it say no', () => {
    const header = (colors: boolean) => {
      const { stream, text } = record({ columns: 80, colors });
      const display = createDisplay({ stream });
      for (const event of [start, epoch(1)]) display.event(event);
      return text();
    };
    assert.ok(header(true).includes('\u001b[1m'));
    assert.ok(!header(false).includes('\u001b[1m'));
  });
});

describe('the display of what may soon be done', () => {
  const shown = (terminal: Parameters<typeof record>[0], milliseconds: readonly number[]) => {
    const { stream, text } = record(terminal);
    let clock = 0;
    const display = createDisplay({ stream, now: () => clock, quietUntil: 1000 });
    for (const [at, time] of milliseconds.entries()) {
      clock = time;
      display.progress({ label: `part ${at}`, done: 0, total: 1 });
    }
    display.close();
    return text();
  };

  it('draws no bar before that time, and one after it', () => {
    assert.equal(shown({ columns: 80 }, [0, 500, 999]), '');
    const text = shown({ columns: 80 }, [0, 999, 1000]);
    assert.doesNotMatch(text, /part [01]/);
    assert.match(text, /part 2 ░+ {3}0%/);
  });

  it('without a terminal prints a line once a minute, as ever', () => {
    assert.equal(shown(undefined, [0, 30_000, 60_000, 61_000]), 'part 2  0/1\n');
  });
});

describe('the display of an evaluation', () => {
  it('prints a warning as a line of its own', () => {
    const { stream, text } = record(undefined);
    createDisplay({ stream }).warning('Of\x1b photographs a tenth is measured.');
    assert.equal(text(), 'Warning: Of\\x1b photographs a tenth is measured.\n');
  });

  it('shows how many examples still stand and the time that is left', () => {
    const { stream, text } = record({ columns: 100 });
    let clock = 0;
    const display = createDisplay({ stream, now: () => clock });
    display.progress({ label: 'pgd-50', done: 0, total: 1000, robust: 1 });
    display.close();
    clock = 30_000;
    display.progress({ label: 'pgd-50', done: 250, total: 1000, robust: 0.7 });
    display.close();
    assert.match(text(), /pgd-50 █+░+ {2}25% {2}robust 70\.0% {2}1m 30s left/);
  });
});

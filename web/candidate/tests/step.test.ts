// @vitest-environment jsdom
import { html, nothing } from 'lit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Emitter } from '../src/core/emitter';
import type { ExamSession } from '../src/core/session';
import type { Room } from '../src/core/types';
import { firstView } from '../src/core/view';
import { Step } from '../src/room/step';
import { words } from '../src/room/words';

type Looks = 'button' | 'switched off' | 'gone';

/** A step with one button, which asks the server something. */
class Asking extends Step {
  static override properties = { looks: { state: true } };
  declare looks: Looks;
  readonly check = 'camera';

  constructor() {
    super();
    this.looks = 'button';
  }

  override render() {
    const button = html`<button ?disabled=${this.looks === 'switched off'}>Ask</button>`;
    return this.layout('Asking', '', this.region(this.doneNote()), this.looks === 'gone' ? nothing : button);
  }

  ask<T>(answer: Promise<T>): Promise<T> {
    return this.patiently(answer);
  }
}
customElements.define('test-asking', Asking);

/** What a step reads of its session. */
class Seen extends Emitter<{ change: unknown }> {
  view = firstView({ deadline_at: null } as Room, { camera: 'off', microphone: 'off', screen: 'off' });
}

let seen: Seen;
let step: Asking;

beforeEach(async () => {
  vi.stubGlobal('scrollTo', () => undefined);
  seen = new Seen();
  step = new Asking();
  step.session = seen as unknown as ExamSession;
  document.body.append(step);
  await step.updateComplete;
});

afterEach(() => {
  step.remove();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const focused = () => step.shadowRoot?.activeElement?.localName;
const said = () => step.shadowRoot?.querySelector('[role=status]')?.textContent ?? '';

test.each<Looks>(['switched off', 'gone'])(
  'the focus of a button that is %s goes to the heading',
  async (looks) => {
    step.shadowRoot?.querySelector('button')?.focus();
    expect(focused()).toBe('button');
    step.looks = looks;
    await step.updateComplete;
    expect(focused()).toBe('h1');
  },
);

test('the focus stays where it is when its button stays', async () => {
  step.shadowRoot?.querySelector('button')?.focus();
  step.requestUpdate();
  await step.updateComplete;
  expect(focused()).toBe('button');
});

test('an answer that is long in coming is told, until it comes', async () => {
  vi.useFakeTimers();
  seen.view = { ...seen.view, backlog: { chunks: 0, bytes: 0, events: 1 } };
  let answer = (_text: string) => {};
  const asked = step.ask(new Promise<string>((resolve) => (answer = resolve)));
  await vi.advanceTimersByTimeAsync(7_900);
  expect(said()).toBe('');
  await vi.advanceTimersByTimeAsync(200);
  expect(said()).toContain(words.notKept.title);
  answer('accepted');
  expect(await asked).toBe('accepted');
  await step.updateComplete;
  expect(said()).toBe('');
});

test('a question of the browser may stay open without a word about the line', async () => {
  vi.useFakeTimers();
  let answer = () => {};
  const asked = step.ask(new Promise<void>((resolve) => (answer = resolve)));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said()).toBe('');
  answer();
  await asked;
});

test('a step that passed before says so, and not that anybody approved it', async () => {
  seen.view = { ...seen.view, checks: { camera: 'passed' } };
  seen.emit('change', seen.view);
  await step.updateComplete;
  expect(said()).toContain(words.stepDone.title);
});

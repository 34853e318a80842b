import { html, LitElement } from 'lit';
import { type Entered, EntryError, type EntryFault, enterAgain, enterByLink } from '../core/entry';
import { ExamSession } from '../core/session';
import { keepShell } from '../core/shell';
import './checks-view';
import './exam-view';
import './message-view';
import { words } from './words';

/** Where this page was opened: by a join link, or again in a session it knows. */
export type Door = { kind: 'link'; token: string } | { kind: 'session'; id: string } | null;

/** How the candidate asked to come in: from another tab of this browser, or back from another browser. */
type How = '' | 'take-over' | 'rejoin';
const HOW = 'openproctor-how';
const TRY_AGAIN_MS = 4_000;

export function doorOf(path: string): Door {
  const link = /^\/join\/([^/]+)\/?$/.exec(path);
  if (link) return { kind: 'link', token: decodeURIComponent(link[1]!) };
  const room = /^\/room\/([^/]+)\/?$/.exec(path);
  return room ? { kind: 'session', id: decodeURIComponent(room[1]!) } : null;
}

/** Opens the session and shows the screen that fits its phase. */
export class App extends LitElement {
  static override properties = { fault: { state: true }, session: { state: true } };
  declare fault: EntryFault | null;
  declare session: ExamSession | null;
  #opening = false;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.fault = null;
    this.session = null;
  }

  override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('beforeunload', this.#guard);
    void this.#open('');
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('beforeunload', this.#guard);
    clearTimeout(this.#again);
  }

  override render() {
    const { session } = this;
    if (this.fault) return this.#problem(this.fault);
    if (!session) return html`<op-message heading=${words.loading} step="loading"></op-message>`;
    switch (session.view.phase) {
      case 'checks':
        return html`<op-checks .session=${session}></op-checks>`;
      case 'waiting':
        return this.#say(words.waiting, 'waiting');
      case 'exam':
        return html`<op-exam .session=${session}></op-exam>`;
      case 'finishing':
        return html`<op-finishing .session=${session}></op-finishing>`;
      case 'ended':
        return this.#ended(session);
      case 'declined': {
        const w = words.consent.refused;
        return this.#say({ title: w.title, what: w.what }, 'declined', w.again, w.next);
      }
      case 'replaced':
        return this.#say(words.replaced, 'replaced', words.continueHere);
      case 'locked-out':
        return this.#say(words.lockedOut, 'locked-out', words.continueHere);
      case 'signed-out':
        return this.#say(words.signedOut, 'signed-out');
    }
  }

  #ended(session: ExamSession) {
    const { ended } = session.view;
    const how = ended?.how === 'terminated' || ended?.how === 'expired' ? ended.how : 'completed';
    const said = words.ended[how];
    const { incomplete, late } = words.ended;
    const missing = ended?.late
      ? { title: late.title, what: late.what(ended.late) }
      : ended?.complete === false
        ? incomplete
        : null;
    const text = missing?.title ?? said.what;
    const reason = ended?.reason ? words.ended.reason(ended.reason) : '';
    return this.#say(
      { title: said.title, what: text },
      'ended',
      '',
      [reason, missing?.what].filter(Boolean).join(' '),
      how === 'completed',
    );
  }

  #say(said: { title: string; what: string }, step: string, action = '', more = '', good = false) {
    const room = this.session?.view.room;
    return html`<op-message
      organization=${room?.organization.name ?? ''}
      exam=${room?.exam.title ?? ''}
      heading=${said.title}
      text=${said.what}
      more=${more}
      action=${action}
      step=${step}
      ?good=${good}
      @act=${() => this.#act(step)}
    ></op-message>`;
  }

  #problem(fault: EntryFault) {
    const said = words.faults[fault];
    const again: EntryFault[] = ['elsewhere', 'no-answer', 'other', 'no-store'];
    const action = fault === 'other-tab' ? words.continueHere : again.includes(fault) ? words.tryAgain : '';
    return this.#say(said, fault, action);
  }

  #act(step: string): void {
    if (step === 'other-tab') void this.#open('take-over');
    // A fresh load is the surest way back: everything that counts is in the page's store.
    else if (step === 'declined') location.reload();
    else if (step === 'replaced') this.#reload('rejoin');
    else if (step === 'locked-out') this.#reload('take-over');
    else void this.#open('');
  }

  #reload(how: How): void {
    sessionStorage.setItem(HOW, how);
    location.reload();
  }

  /** `byItself`: nobody asked for this try, so what is shown stays until it has worked. */
  async #open(how: How, byItself = false): Promise<void> {
    if (this.session) return;
    if (this.#opening) {
      // Asked for while a try of our own is under way: that one is shown to be.
      if (!byItself) this.fault = null;
      return;
    }
    this.#opening = true;
    clearTimeout(this.#again);
    if (!byItself) this.fault = null;
    const asked = how || ((sessionStorage.getItem(HOW) ?? '') as How);
    sessionStorage.removeItem(HOW);
    let entered: Entered | null = null;
    try {
      entered = await this.#enter(asked);
      const { room } = entered;
      history.replaceState(null, '', `/room/${room.session_id}`);
      document.title = `${room.exam.title} – ${room.organization.name}`;
      const session = new ExamSession(entered, words.exam.plate);
      let phase = session.view.phase;
      session.on('change', (view) => {
        if (view.phase === phase) return;
        phase = view.phase;
        this.requestUpdate();
      });
      await session.open();
      this.fault = null;
      this.session = session;
      if (!entered.offline) void keepShell();
    } catch (error) {
      entered?.lock.release();
      this.fault = error instanceof EntryError ? error.fault : 'other';
      // It comes back by itself: the server may be starting, the line may be down.
      if (this.fault === 'no-answer') this.#again = setTimeout(() => void this.#open('', true), TRY_AGAIN_MS);
      // The same way in is tried again when the candidate asks for it.
      if (asked) sessionStorage.setItem(HOW, asked);
    } finally {
      this.#opening = false;
    }
  }

  #enter(how: How): Promise<Entered> {
    const door = doorOf(location.pathname);
    const takeOver = how === 'take-over';
    if (door?.kind === 'link') return enterByLink(door.token, takeOver);
    if (door?.kind === 'session') return enterAgain(door.id, takeOver, how === 'rejoin');
    return Promise.reject(new EntryError('no-session'));
  }

  /** Asks before a running exam is closed by accident. */
  readonly #guard = (event: BeforeUnloadEvent): void => {
    const phase = this.session?.view.phase;
    if (phase === 'exam' || phase === 'finishing') event.preventDefault();
  };
}
customElements.define('op-app', App);

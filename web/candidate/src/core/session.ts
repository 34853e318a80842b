import { ApiProblem } from './api';
import { Backoff, persistently } from './backoff';
import { Checks } from './checks/actions';
import { DeviceDesk, type DeviceKind } from './desk';
import { DirectUpload } from './direct';
import { Emitter } from './emitter';
import { type Entered, keepRoom } from './entry';
import { Finisher } from './finish';
import { randomId } from './ids';
import { Line, lineWorker } from './line';
import { EventQueue } from './queue';
import { Recording } from './recording';
import { Recovery } from './recovery';
import { ScreenDesk, type SharedScreen, ShareError } from './screen';
import { DeviceSensor } from './sensors/devices';
import { Sensors } from './sensors/sensors';
import type { ServerFrame } from './socket';
import { keepStorage, storageIsLow } from './storage';
import type { CheckId, Outcome, Room, SessionState } from './types';
import { Uploader } from './uploader';
import { firstView, type Phase, type SessionView } from './view';
import { Wakefulness } from './wake';

/** Phases this page does not come back from without being loaded again. */
const GONE = new Set<Phase>(['declined', 'replaced', 'locked-out', 'signed-out', 'ended']);
const ALIVE_EVERY_TICKS = 5;
const STORAGE_EVERY_TICKS = 60;
const LOOK_EVERY_TICKS = 15;
const REOPEN_EVERY_MS = 4_000;

/** One candidate's session in this page: line, events, recording, sensors, checks, end. Draws nothing. */
export class ExamSession extends Emitter<{ change: SessionView; message: string }> {
  readonly queue: EventQueue;
  readonly uploader: Uploader;
  readonly line: Line;
  readonly desk: DeviceDesk;
  readonly screen: ScreenDesk;
  readonly recording: Recording;
  readonly checks: Checks;
  readonly #devices: DeviceSensor;
  readonly #sensors: Sensors;
  readonly #recovery: Recovery;
  readonly #wakefulness = new Wakefulness();
  #view: SessionView;
  #ticks = 0;
  #screenLostAt: number | null = null;
  #finisher: Finisher | null = null;
  #asking = false;
  #messages = 0;
  #pageId = randomId();

  constructor(
    private readonly entered: Entered,
    plateText: string,
    media: MediaDevices = navigator.mediaDevices,
  ) {
    super();
    const { store, api, clock, record, room } = entered;
    const id = room.session_id;
    const { policy } = room;
    this.queue = new EventQueue(store, id, clock, this.#pageId);
    const direct = room.direct_upload ? new DirectUpload(api) : null;
    this.uploader = new Uploader(store, api, id, Math.random, direct);
    this.line = new Line(lineWorker(), api, id, clock);
    this.desk = new DeviceDesk(media, policy.tracks.camera);
    this.screen = new ScreenDesk(media, policy.tracks.screen, policy.whole_screen);
    this.desk.choose('camera', record.cameraId);
    this.desk.choose('microphone', record.microphoneId);
    this.#devices = new DeviceSensor(this.desk, this.queue, store, id, () => clock.pageNow());
    this.#sensors = new Sensors(policy, clock, this.queue, (left) =>
      this.#set({ fullScreenLost: left && policy.full_screen }),
    );
    this.#recovery = new Recovery(this.desk, (prompt) => this.#sensors.during(prompt));
    this.recording = new Recording(
      id,
      policy,
      { ...entered, queue: this.queue, uploader: this.uploader, desk: this.desk, screen: this.screen },
      plateText,
    );
    this.checks = new Checks({
      ...entered,
      queue: this.queue,
      desk: this.desk,
      screen: this.screen,
      devices: this.#devices,
      passed: (check) => this.#set({ checks: { ...this.#view.checks, [check]: 'passed' } }),
      during: (prompt) => this.#sensors.during(prompt),
    });
    this.#view = { ...firstView(room, this.recording.state), frameHeld: entered.offline };
  }

  get view(): SessionView {
    return this.#view;
  }

  get id(): string {
    return this.entered.room.session_id;
  }

  /** Server time now, ms. */
  now(): number {
    return this.entered.clock.now();
  }

  /** Opens the line and goes on from wherever the session stands. */
  async open(): Promise<void> {
    const { store, lock, room, record } = this.entered;
    this.#wire();
    await this.queue.load();
    await this.uploader.start();
    this.#devices.start();
    lock.whenLost(() => this.#leave('locked-out'));
    // Another tab may have taken over while this one was still opening.
    if (GONE.has(this.#view.phase)) return;
    this.line.start({
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/sessions/${this.id}/socket`,
      token: record.token,
      device: store.device,
      page: this.#pageId,
      offlineMs: room.policy.offline_ms,
    });
    this.queue.useCarrier(this.line);
    keepStorage();
    await this.recording.closeLeftOver();
    if (GONE.has(this.#view.phase)) return;
    if (record.passedHere.includes('browser')) this.#set({ checks: { browser: 'passed' } });
    if (record.finishing) {
      void this.#runFinish(record.finishing.outcome);
    } else {
      this.#apply(room);
    }
  }

  // Checks

  /** The first check that is still open, or null when the exam may start. */
  nextCheck(): CheckId | null {
    const { checks, room } = this.#view;
    for (const id of room.policy.checks) {
      if (id === 'screen' && !this.screen.track && room.policy.tracks.screen) return 'screen';
      if (checks[id] !== 'passed' && checks[id] !== 'skipped') return id;
    }
    return null;
  }

  async refuseConsent(): Promise<void> {
    await this.checks.refuse();
    this.#leave('declined');
  }

  /** Starts the exam and its recording. Must be called from a click. Throws ApiProblem, DeviceError. */
  async start(): Promise<void> {
    const { policy } = this.#view.room;
    if (policy.full_screen) await document.documentElement.requestFullscreen?.().catch(() => undefined);
    await this.#openForRecording();
    const { body, ...times } = await this.entered.api.start(this.id);
    this.entered.clock.sample({ ...times, serverTime: body.server_time });
    void keepRoom(this.entered.store, this.entered.clock, body).catch(() => undefined);
    this.#apply(body);
  }

  /** Asks the server how things stand. */
  async refresh(): Promise<void> {
    const before = this.#view.checks;
    const { body } = await this.entered.api.room(this.id);
    // An answer from before a check was passed here would take it back.
    this.#apply(before === this.#view.checks ? body : { ...body, checks: [] });
  }

  async #openForRecording(): Promise<void> {
    const { camera } = this.#view.room.policy.tracks;
    if (!camera) return;
    await this.checks.openDevice('camera');
    if (camera.audio) await this.checks.openDevice('microphone');
  }

  // Exam

  /** The exam's frame, after each of its loads; null when it is gone. */
  watchFrame(frame: HTMLIFrameElement | null): void {
    this.#sensors.watchFrame(frame);
  }

  /** Shares the screen again in mid-exam (1006, or 150). Must be called from a click. */
  async shareAgain(): Promise<SharedScreen> {
    try {
      const shared = await this.#sensors.during(this.screen.share());
      const lostAt = this.#screenLostAt;
      const { label: _label, ...size } = shared;
      this.queue.raise('screenResumed', {
        ...size,
        ...(lostAt === null ? {} : { stopped_ms: Math.max(0, Math.round(this.now() - lostAt)) }),
      });
      this.#screenLostAt = null;
      await this.#rememberSharing(true);
      this.#set({ screenLost: false });
      await this.recording.screenShared();
      return shared;
    } catch (error) {
      if (error instanceof ShareError && this.#view.phase === 'exam') this.checks.screenDenied(error);
      throw error;
    }
  }

  /** Tries to get a lost device back; from a click, when the browser wants to ask again. */
  reopen(kind: DeviceKind): Promise<boolean> {
    return this.#recovery.reopen(kind);
  }

  async fullScreenAgain(): Promise<void> {
    await document.documentElement.requestFullscreen?.().catch(() => undefined);
  }

  raiseHand(): void {
    this.queue.raise('handRaised', {});
  }

  writeToProctor(text: string): void {
    this.queue.raise('messageToProctor', { text: text.slice(0, 2_000) });
  }

  dismissMessage(id: number): void {
    this.#set({ messages: this.#view.messages.filter((one) => one.id !== id) });
  }

  async finish(outcome: Outcome): Promise<void> {
    if (this.#view.phase === 'finishing' || this.#view.phase === 'ended') return;
    await this.#runFinish(outcome);
  }

  // Inside

  #wire(): void {
    const { queue, uploader, line, desk, screen, recording } = this;
    const backlog = () => this.#set({ backlog: { ...uploader.backlog, events: queue.waiting } });
    queue.on('change', backlog);
    uploader.on('backlog', backlog);
    uploader.on('refused', (problem) => this.#refused(problem));
    recording.on('change', (state) => this.#set({ recording: state }));
    line.on('state', () => {
      this.#set({ line: line.ready ? 'online' : 'reconnecting' });
      if (line.ready) {
        this.#set({ frameHeld: false });
        queue.wake();
        uploader.wake();
      }
    });
    line.on('room', (room) => {
      void keepRoom(this.entered.store, this.entered.clock, room).catch(() => undefined);
      this.#apply(room);
    });
    line.on('frame', (frame) => this.#hear(frame));
    line.on('failed', ({ attempt, error, pageAt }) =>
      queue.raise('socketFailed', { attempt, error: error.slice(0, 500) }, { pageAt }),
    );
    line.on('stopped', (code) => this.#lineStopped(code));
    line.on('tick', () => this.#tick());
    this.entered.clock.on('jump', (change) =>
      queue.raise('clockChanged', { change_ms: change, where: 'candidate' }),
    );
    const deviceNews = () => {
      const exam = this.#view.phase === 'exam';
      const { camera } = this.#view.room.policy.tracks;
      this.#set({
        cameraLost: exam && Boolean(camera) && !desk.track('camera'),
        microphoneLost: exam && Boolean(camera?.audio) && !desk.track('microphone'),
        recording: recording.state,
      });
    };
    desk.on('lost', deviceNews);
    desk.on('live', deviceNews);
    desk.on('devices', () => this.#reopenLost());
    screen.on('ended', ({ reason }) => {
      queue.raise('screenStopped', { reason });
      this.#screenLostAt = this.now();
      void this.#rememberSharing(false);
      this.#set({ screenLost: this.#view.phase === 'exam', recording: recording.state });
    });
    addEventListener('online', () => {
      line.kick();
      uploader.wake();
    });
  }

  /** The server's view of the session, from a welcome, a start or a poll. */
  #apply(room: Room): void {
    const checks: SessionView['checks'] = { ...this.#view.checks };
    for (const { id, state } of room.checks) if (id !== 'browser') checks[id] = state;
    const changed = Object.entries(checks).some(([id, state]) => this.#view.checks[id as CheckId] !== state);
    this.#set({ room, deadlineAt: room.deadline_at, ...(changed ? { checks } : {}) });
    this.#enterState(room.state, '', Boolean(room.finish_requested_at));
  }

  #enterState(state: SessionState, reason: string, ending: boolean): void {
    const { phase } = this.#view;
    if (GONE.has(phase)) return;
    switch (state) {
      case 'created':
      case 'checking':
        break;
      case 'waiting':
        if (phase === 'checks' && this.nextCheck() === null) this.#set({ phase: 'waiting' });
        break;
      case 'running':
      case 'paused':
        if (phase === 'finishing') break;
        if (ending) {
          // Ended elsewhere: the time is up, or somebody has ended it. What is still here has to be sent.
          void this.#runFinish('finished');
          break;
        }
        this.#set({ paused: state === 'paused' ? { reason } : null });
        if (phase !== 'exam') void this.#enterExam();
        break;
      case 'completed':
      case 'terminated':
      case 'expired':
        if (phase === 'finishing') break;
        void this.#runFinish('finished', { how: state, reason });
        break;
    }
  }

  async #enterExam(): Promise<void> {
    const { policy } = this.#view.room;
    const { record } = this.entered;
    this.#set({ phase: 'exam' });
    this.#sensors.start();
    this.#set({ fullScreenLost: policy.full_screen && !document.fullscreenElement });
    if (policy.tracks.screen && !this.screen.track) {
      // A page that was loaded again has lost the shared screen; only a click can bring it back.
      if (record.screenSharedSince !== null && this.#screenLostAt === null) {
        this.#screenLostAt = record.aliveAt ?? this.now();
        this.queue.raise('screenStopped', { reason: 'page closed' }, { at: this.#screenLostAt });
        await this.#rememberSharing(false);
      }
      this.#set({ screenLost: true });
    } else {
      await this.#rememberSharing(Boolean(this.screen.track));
    }
    if (policy.tracks.camera) {
      await this.checks.openDevice('camera').catch(() => undefined);
      if (policy.tracks.camera.audio) await this.checks.openDevice('microphone').catch(() => undefined);
      this.#set({
        cameraLost: !this.desk.track('camera'),
        microphoneLost: Boolean(policy.tracks.camera.audio) && !this.desk.track('microphone'),
      });
    }
    if (this.#view.phase !== 'exam') return;
    await this.recording.start();
    if (this.#view.phase === 'exam') this.#wakefulness.start();
  }

  #hear(frame: ServerFrame): void {
    if (frame.t === 'state') {
      this.#set({ deadlineAt: frame.deadline_at });
      this.#enterState(frame.state, frame.reason ?? '', Boolean(frame.finish_requested_at));
    } else if (frame.t === 'message') {
      this.#messages += 1;
      const message = { id: this.#messages, text: frame.text, at: this.now() };
      this.#set({ messages: [...this.#view.messages, message] });
      this.emit('message', frame.text);
    } else if (frame.t === 'slow') {
      this.queue.slowDown(frame.milliseconds);
    }
  }

  #tick(): void {
    this.#ticks += 1;
    if (this.queue.waiting > 0) this.queue.wake();
    this.recording.tick();
    const { phase, deadlineAt } = this.#view;
    if (phase === 'checks' && this.#ticks % LOOK_EVERY_TICKS === 0 && this.line.ready) {
      // A proctor may have approved a check, or sent one back.
      void this.refresh().catch(() => undefined);
    }
    if (phase === 'exam') {
      // A clock that no server has confirmed since the page was loaded ends nothing; the server does that itself.
      if (deadlineAt !== null && this.entered.clock.known && this.now() >= deadlineAt)
        void this.finish('time_up');
      if (this.#ticks % ALIVE_EVERY_TICKS === 0) {
        const now = this.now();
        void this.entered.store.patch(this.id, (record) => {
          record.aliveAt = now;
        });
      }
      if (this.#ticks % (REOPEN_EVERY_MS / 1_000) === 0) this.#reopenLost();
      if (this.#ticks % STORAGE_EVERY_TICKS === 0) {
        void storageIsLow().then((storageLow) => this.#set({ storageLow }));
      }
    }
  }

  #reopenLost(): void {
    const { phase, cameraLost, microphoneLost } = this.#view;
    if (phase !== 'exam') return;
    if (cameraLost) void this.#recovery.reopenQuietly('camera');
    if (microphoneLost) void this.#recovery.reopenQuietly('microphone');
  }

  async #rememberSharing(shared: boolean): Promise<void> {
    const now = this.now();
    await this.entered.store.patch(this.id, (record) => {
      record.screenSharedSince = shared ? now : null;
    });
  }

  #lineStopped(code: number): void {
    if (code === 4410) void this.#askHowItEnded();
    else void this.#leave(code === 4409 ? 'replaced' : 'signed-out');
  }

  /** The server says that the session is over; asks until it has said how. */
  async #askHowItEnded(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const backoff = new Backoff(1_000);
    while (this.#view.phase !== 'finishing' && !GONE.has(this.#view.phase)) {
      try {
        await this.refresh();
      } catch (error) {
        if (error instanceof ApiProblem && [401, 403, 404].includes(error.status)) {
          await this.#leave('signed-out');
        }
      }
      await new Promise((resolve) => setTimeout(resolve, backoff.next()));
    }
    this.#asking = false;
  }

  #refused(problem: ApiProblem): void {
    if (this.#view.phase !== 'exam') return;
    if (problem.status === 410) void this.#askHowItEnded();
    else if (problem.slug === 'open-elsewhere') void this.#leave('replaced');
  }

  /** Stops recording and lets go of everything, without ending the session. */
  async #leave(phase: Extract<Phase, 'declined' | 'replaced' | 'locked-out' | 'signed-out'>): Promise<void> {
    if (this.#view.phase === phase) return;
    this.#set({ phase });
    this.#finisher?.stop();
    await this.#letGo('page_closed');
    this.line.stop();
    await this.uploader.stop();
    this.entered.lock.release();
  }

  async #runFinish(outcome: Outcome, over?: { how: SessionState; reason: string }): Promise<void> {
    if (this.#finisher) return;
    const { store, record } = this.entered;
    const parts = { ...this.entered, queue: this.queue, uploader: this.uploader };
    const finisher = new Finisher(this.id, parts, (finishing) => this.#set({ finishing }));
    this.#finisher = finisher;
    this.#set({ phase: 'finishing', paused: null });
    await this.#letGo('finished');
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
    const kept = record.finishing;
    const manifest = kept?.manifest ?? (await finisher.manifest());
    const note = () =>
      store.patch(this.id, (mine) => {
        mine.finishing ??= { outcome, manifest };
        mine.screenSharedSince = null;
      });
    // A full disk must not hold up the end: what is sent makes room on it.
    await note().catch(() => void persistently(note));
    const result = await finisher.run(kept?.outcome ?? outcome, manifest);
    if (!result || GONE.has(this.#view.phase)) return;
    const { complete, late } = result;
    const how = over?.how ?? result.how ?? 'completed';
    this.#set({ phase: 'ended', ended: { how, complete, late, reason: over?.reason ?? '' } });
    this.line.stop();
    await finisher.forget(result).catch(() => undefined);
    this.entered.lock.release();
  }

  /** Stops recording, and lets the devices and the screen go. */
  async #letGo(reason: string): Promise<void> {
    this.#sensors.stop();
    this.#wakefulness.stop();
    await this.recording.stop(reason).catch(() => undefined);
    this.#devices.stop();
    this.desk.close();
    this.screen.close();
  }

  #set(change: Partial<SessionView>): void {
    this.#view = { ...this.#view, ...change };
    this.emit('change', this.#view);
  }
}

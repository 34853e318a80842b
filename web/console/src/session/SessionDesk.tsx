import { Tabs } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import type { SessionEvent, TrackMedia } from '../api/types';
import { ChecksPanel } from './checks/ChecksPanel';
import { PolicyPanel } from './checks/PolicyPanel';
import { type Desk, DeskContext } from './desk';
import { EventsPanel } from './events/EventsPanel';
import { shownAt, stepFinding } from './events/findings';
import { ShortcutSheet } from './keys/ShortcutSheet';
import { type PageActions, shortcutFor } from './keys/shortcuts';
import type { SessionModel } from './model';
import { Players } from './players/Players';
import { Playback } from './players/playback';
import { nextRecording } from './players/spans';
import { useLargeTrack } from './players/useLargeTrack';
import { SessionHeader } from './SessionHeader';
import classes from './SessionPage.module.css';
import { Lightbox } from './stills/Lightbox';
import { StillsPanel } from './stills/StillsPanel';
import { Timeline } from './timeline/Timeline';
import { TimelineWindow } from './timeline/timelineWindow';
import { padded } from './timeline/viewport';

const SLOW_START_MS = 30_000;

/** Where to begin: what the link says, else the live end, else the start of the exam. */
function beginning(model: SessionModel, media: readonly TrackMedia[], search: URLSearchParams): number {
  const event = model.bySequence.get(Number(search.get('event') ?? Number.NaN));
  if (event) return shownAt(event, model.captures);
  const at = Number(search.get('at') ?? Number.NaN);
  if (at >= model.bounds.from && at <= model.bounds.until) return at;
  if (model.live) return model.bounds.until;
  // Recorders take a moment to start, each its own: begin with pictures, not with the words that there is none.
  const begun = media
    .map((track) => nextRecording([track.spans], model.zero))
    .filter((at): at is number => at !== null && at - model.zero < SLOW_START_MS);
  return Math.max(model.zero, ...begun);
}

/** Puts the clock and the timeline's window beside the model, and the page together. */
export function SessionDesk({
  model,
  media,
  stale,
}: {
  model: SessionModel;
  media: TrackMedia[];
  stale: boolean;
}) {
  const [search] = useSearchParams();
  const [playback] = useState(() => new Playback(beginning(model, media, search)));
  const [view] = useState(() => new TimelineWindow(padded(model.bounds)));
  const [chosen, setChosen] = useState<number | null>(() => {
    const sequence = Number(search.get('event') ?? Number.NaN);
    return model.bySequence.has(sequence) ? sequence : null;
  });
  const [stillId, setStillId] = useState<string | null>(null);
  const [sheet, setSheet] = useState(false);
  const [tab, setTab] = useState<string | null>('events');
  const large = useLargeTrack(model.tracks);
  const selected = chosen === null ? null : (model.bySequence.get(chosen) ?? null);

  useEffect(() => {
    document.title = `${model.session.candidate.name} · ${model.session.exam.title} · OpenProctor`;
  }, [model.session.candidate.name, model.session.exam.title]);

  useEffect(() => {
    playback.setBounds(model.bounds, model.live);
    view.setBounds(padded(model.bounds));
    for (const track of media) playback.setSpans(track.track, track.spans);
  }, [playback, view, model.bounds, model.live, media]);

  useEffect(() => {
    const withSound = model.tracks.find((lane) => model.session.policy.tracks?.[lane.track]?.audio);
    playback.setSoundTrack(withSound?.track ?? 'camera');
  }, [playback, model.tracks, model.session.policy]);

  const openedLive = useRef(false);
  useEffect(() => {
    // A running session opens live; without sound, since the browser refuses it before the first click.
    if (openedLive.current || !model.live || search.has('at') || search.has('event')) return;
    if (playback.liveEdge() === null) return;
    openedLive.current = true;
    playback.setSound({ muted: true });
    playback.jumpToLive();
  }, [playback, model, search]);

  useEffect(() => () => playback.destroy(), [playback]);

  const goTo = useCallback(
    (at: number) => {
      playback.seek(at);
      view.reveal(at);
    },
    [playback, view],
  );

  const choose = useCallback(
    (event: SessionEvent | null, options: { seek?: boolean } = {}) => {
      setChosen(event?.sequence ?? null);
      if (!event) return;
      setTab('events');
      if (options.seek !== false) goTo(shownAt(event, model.captures));
    },
    [goTo, model.captures],
  );

  const step = useCallback(
    (direction: 1 | -1) => {
      const shown = (event: SessionEvent) => shownAt(event, model.captures);
      const next = stepFinding(model.findings, direction, playback.at, selected, shown);
      if (next) choose(next);
      else {
        notifications.show({
          id: 'no-finding',
          message: direction > 0 ? 'No finding after this moment' : 'No finding before this moment',
          color: 'gray',
          autoClose: 2_000,
          closeButtonProps: { 'aria-label': 'Close' },
        });
      }
    },
    [model.findings, model.captures, playback, selected, choose],
  );

  const desk = useMemo<Desk>(
    () => ({
      model,
      playback,
      window: view,
      selected,
      choose,
      goTo,
      stepFinding: step,
      openStill: setStillId,
    }),
    [model, playback, view, selected, choose, goTo, step],
  );

  const actions = useRef<{ desk: Desk; page: PageActions }>(null);
  useEffect(() => {
    actions.current = {
      desk,
      page: {
        toggleSheet: () => setSheet((opened) => !opened),
        swap: large.swap,
        framesPerSecond: () => model.session.policy.tracks?.[large.track ?? '']?.frame_rate ?? 15,
      },
    };
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const shortcut = shortcutFor(event);
      if (!shortcut || !actions.current) return;
      event.preventDefault();
      shortcut.run(actions.current.desk, actions.current.page);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);

  return (
    <DeskContext value={desk}>
      <div className={classes.page}>
        <SessionHeader showShortcuts={() => setSheet(true)} />
        {stale && (
          <p className={classes.stale} role="status">
            The session could not be refreshed; what you see may be out of date.
          </p>
        )}
        <div className={classes.columns}>
          <div className={classes.left}>
            <Players large={large} />
            <Timeline />
          </div>
          <Tabs value={tab} onChange={setTab} className={classes.right ?? ''} keepMounted={false}>
            <Tabs.List grow>
              <Tabs.Tab value="events">Events</Tabs.Tab>
              <Tabs.Tab value="stills">Stills</Tabs.Tab>
              <Tabs.Tab value="checks">Checks</Tabs.Tab>
              <Tabs.Tab value="policy">Policy</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="events" className={classes.tabPanel ?? ''}>
              <EventsPanel />
            </Tabs.Panel>
            <Tabs.Panel value="stills" className={classes.tabPanel ?? ''} data-scrolls tabIndex={0}>
              <StillsPanel />
            </Tabs.Panel>
            <Tabs.Panel value="checks" className={classes.tabPanel ?? ''} data-scrolls tabIndex={0}>
              <ChecksPanel />
            </Tabs.Panel>
            <Tabs.Panel value="policy" className={classes.tabPanel ?? ''} data-scrolls tabIndex={0}>
              <PolicyPanel />
            </Tabs.Panel>
          </Tabs>
        </div>
      </div>
      <Lightbox captureId={stillId} close={() => setStillId(null)} />
      <ShortcutSheet opened={sheet} close={() => setSheet(false)} />
    </DeskContext>
  );
}

import { useEffect } from 'react';
import type { SessionEvent } from '../../api/types';
import { SeverityMark } from '../../severity/SeverityMark';
import { SEVERITY_NAMES } from '../../severity/severity';
import { clockLength, wallTime, wordLength } from '../../time/format';
import { useDesk } from '../desk';
import { summaryOf } from '../events/words';
import { stillsOf } from '../evidence';
import { StillPicture } from '../stills/StillPicture';
import { whyNoRecording } from '../whyNoRecording';
import type { Group } from './clusters';
import type { Hit } from './scene';
import type { State } from './states';
import classes from './Timeline.module.css';

export interface Hovered {
  hit: Hit | null;
  at: number;
  x: number;
  y: number;
}

const CARD_WIDTH = 260;
const MOST_NAMES = 5;

function Times({ at }: { at: number }) {
  const { model } = useDesk();
  return (
    <div className={classes.cardTimes}>
      {clockLength(at - model.zero, { hours: true })} <span>{wallTime(at)}</span>
    </div>
  );
}

function EventCard({ event, state }: { event: SessionEvent; state: State | null }) {
  const { model } = useDesk();
  const summary = summaryOf(event);
  const [still] = stillsOf(event, model.captures);
  return (
    <>
      {still && (
        <StillPicture
          capture={still}
          box={event.data.boxes ?? event.data.box}
          className={classes.cardStill ?? ''}
          alt=""
        />
      )}
      <div className={classes.cardName}>
        <SeverityMark severity={event.severity} label={false} />
        {event.name}
      </div>
      <Times at={state?.from ?? event.occurred_at} />
      <div className={classes.cardText}>
        {SEVERITY_NAMES[event.severity]}
        {state &&
          ` · ${state.until === null ? (model.live ? 'goes on' : 'did not end') : `for ${wordLength(state.until - state.from)}`}`}
      </div>
      {summary !== '' && <div className={classes.cardText}>{summary}</div>}
    </>
  );
}

function GroupCard({ group }: { group: Group }) {
  const counts = new Map<string, { event: SessionEvent; n: number }>();
  for (const { event } of group.marks) {
    const key = `${event.type_id}/${event.severity}`;
    const entry = counts.get(key);
    if (entry) entry.n += 1;
    else counts.set(key, { event, n: 1 });
  }
  const rank = { high: 0, medium: 1, low: 2, info: 3 };
  const names = [...counts.values()].sort(
    (a, b) => rank[a.event.severity] - rank[b.event.severity] || b.n - a.n,
  );
  return (
    <>
      <div className={classes.cardName}>{group.marks.length} events</div>
      <Times at={group.from} />
      <ul className={classes.cardList}>
        {names.slice(0, MOST_NAMES).map(({ event, n }) => (
          <li key={`${event.type_id}/${event.severity}`}>
            <SeverityMark severity={event.severity} size={10} />
            <span>{event.name}</span>
            {n > 1 && <span className="numbers">× {n}</span>}
          </li>
        ))}
      </ul>
      {names.length > MOST_NAMES && (
        <div className={classes.cardText}>and {names.length - MOST_NAMES} more kinds</div>
      )}
    </>
  );
}

/** What lies under the pointer. A help for the eye: the event list says the same to everybody. */
export function HoverCard({ hovered, width, hide }: { hovered: Hovered; width: number; hide: () => void }) {
  const { model } = useDesk();
  const { hit, at, x, y } = hovered;

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && hide();
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [hide]);

  const left = Math.min(Math.max(x - CARD_WIDTH / 2, 0), Math.max(0, width - CARD_WIDTH));
  let card = null;
  if (hit?.kind === 'group') {
    const [only] = hit.group.marks;
    card =
      hit.group.marks.length === 1 && only ? (
        <EventCard event={only.event} state={only.state} />
      ) : (
        <GroupCard group={hit.group} />
      );
  } else if (hit?.kind === 'state') card = <EventCard event={hit.state.event} state={hit.state} />;
  else if (hit?.kind === 'still') {
    card = (
      <>
        <StillPicture capture={hit.still.capture} className={classes.cardStill ?? ''} alt="" />
        <Times at={hit.still.at} />
      </>
    );
  } else if (hit?.kind === 'track' && hit.gap) {
    card = (
      <>
        <div className={classes.cardName}>No recording here</div>
        <Times at={at} />
        <div className={classes.cardText}>
          {whyNoRecording(hit.lane, at, model.states, model.session, model.live)}
        </div>
        <div className={classes.cardText}>Missing for {wordLength(hit.gap.until - hit.gap.from)}</div>
      </>
    );
  }
  return (
    <div aria-hidden="true">
      <div className={classes.hoverLine} style={{ transform: `translateX(${x}px)` }} />
      {card ? (
        <div
          className={classes.card}
          style={{ left, width: CARD_WIDTH, bottom: `calc(100% - ${(hit?.y ?? y) - 14}px)` }}
        >
          {card}
        </div>
      ) : (
        <div className={classes.hoverTime} style={{ left: Math.min(Math.max(x, 60), width - 60) }}>
          {clockLength(at - model.zero, { hours: true })} · {wallTime(at)}
        </div>
      )}
    </div>
  );
}

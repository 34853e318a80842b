import { IconCircleCheck, IconCircleDashed, IconCircleMinus, IconCircleX } from '@tabler/icons-react';
import type { Capture, Check, CheckState } from '../../api/types';
import { clockLength, wallTime } from '../../time/format';
import { useDesk } from '../desk';
import { summaryOf } from '../events/words';
import { stillsOf } from '../evidence';
import { MeasureTable } from '../stills/MeasureTable';
import { StillPicture } from '../stills/StillPicture';
import { Result } from '../stills/StillsPanel';
import classes from './Checks.module.css';
import { CHECK_STATES, checkName } from './words';

const ICONS: Record<CheckState, typeof IconCircleCheck> = {
  passed: IconCircleCheck,
  failed: IconCircleX,
  open: IconCircleDashed,
  skipped: IconCircleMinus,
};

function CheckRow({ check }: { check: Check }) {
  const { model, choose, openStill } = useDesk();
  const event = check.event_sequence === null ? undefined : model.bySequence.get(check.event_sequence);
  const Icon = ICONS[check.state] ?? IconCircleDashed;
  const measures = event?.data.measures;
  const stills = event ? stillsOf(event, model.captures) : [];
  const summary = event ? summaryOf(event) : '';
  const hasMore = (measures !== null && typeof measures === 'object') || stills.length > 0;
  return (
    <li className={classes.check}>
      <div className={classes.checkHead}>
        <Icon size={20} aria-hidden className={classes.icon ?? ''} data-state={check.state} />
        <div className={classes.checkText}>
          <strong>{checkName(check.id)}</strong>
          <span>
            {CHECK_STATES[check.state] ?? check.state}
            {summary !== '' && ` · ${summary}`}
          </span>
        </div>
        {event && (
          <button
            type="button"
            className={classes.time}
            onClick={() => choose(event)}
            aria-label={`${checkName(check.id)}: go to ${wallTime(event.occurred_at)}`}
          >
            {clockLength(event.occurred_at - model.zero, { hours: true })}
          </button>
        )}
      </div>
      {hasMore && (
        <details className={classes.more}>
          <summary>Measures and stills</summary>
          {stills.length > 0 && (
            <div className={classes.stills}>
              {stills.map((capture) => (
                <button
                  key={capture.id}
                  type="button"
                  className={classes.still}
                  aria-label={`Show the still of ${checkName(check.id).toLowerCase()} large`}
                  onClick={() => openStill(capture.id)}
                >
                  <StillPicture capture={capture} alt="" />
                </button>
              ))}
            </div>
          )}
          {measures !== null && typeof measures === 'object' && (
            <MeasureTable measures={measures as Record<string, unknown>} />
          )}
        </details>
      )}
    </li>
  );
}

/** The still that counts: the last one that passed, else the last one taken. */
function counting(stills: readonly Capture[]): Capture | undefined {
  return stills.findLast((capture) => capture.passed === true) ?? stills.at(-1);
}

/** Who sat the exam, and what the checks before it came to. */
export function ChecksPanel() {
  const { model, openStill } = useDesk();
  const { session } = model;
  const of = (kind: string) =>
    model.stills.map(({ capture }) => capture).filter((capture) => capture.kind === kind);
  const pair = [
    { name: 'Face', capture: counting(of('face')) },
    { name: 'Identity document', capture: counting(of('document')) },
  ].filter((entry) => entry.capture !== undefined);
  return (
    <div className={classes.panel}>
      <h2 className={classes.title}>Candidate</h2>
      <dl className={classes.facts}>
        <dt>Name</dt>
        <dd>{session.candidate.name}</dd>
        <dt>Id</dt>
        <dd>{session.candidate.external_id}</dd>
        {session.candidate.email && (
          <>
            <dt>E-mail</dt>
            <dd>{session.candidate.email}</dd>
          </>
        )}
        <dt>Attempt</dt>
        <dd>{session.attempt}</dd>
      </dl>
      {pair.length > 0 && (
        <div className={classes.pair}>
          {pair.map(({ name, capture }) => (
            <button
              key={name}
              type="button"
              className={classes.pairItem}
              onClick={() => capture && openStill(capture.id)}
            >
              {capture && <StillPicture capture={capture} alt={name} />}
              <span>{name}</span>
              {capture && <Result capture={capture} />}
            </button>
          ))}
        </div>
      )}
      <h2 className={classes.title}>Checks</h2>
      {session.checks.length === 0 ? (
        <p className={classes.none}>The exam asks for no checks.</p>
      ) : (
        <ul className={classes.checks}>
          {session.checks.map((check) => (
            <CheckRow key={check.id} check={check} />
          ))}
        </ul>
      )}
    </div>
  );
}

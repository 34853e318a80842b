import { ActionIcon, CloseButton, CopyButton, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { SessionEvent } from '../../api/types';
import { SeverityMark } from '../../severity/SeverityMark';
import { SEVERITY_NAMES } from '../../severity/severity';
import { clockLength, wallDateTimeFull, wallTime, wordLength } from '../../time/format';
import { useDesk } from '../desk';
import { stillsOf } from '../evidence';
import { MeasureTable } from '../stills/MeasureTable';
import { StillPicture } from '../stills/StillPicture';
import type { State } from '../timeline/states';
import classes from './Events.module.css';
import { type Field, fieldsOf } from './fields';
import { sourceName, trackName } from './words';

function Row({ label, hint, children }: { label: string; hint?: string | undefined; children: ReactNode }) {
  return (
    <div className={classes.field}>
      <dt title={hint}>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A digest or id: shortened for the eye, whole in the clipboard. */
export function CodeValue({ value }: { value: string }) {
  return (
    <span className={classes.code}>
      <code title={value}>{value.length > 20 ? `${value.slice(0, 10)}…${value.slice(-6)}` : value}</code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : 'Copy'}>
            <ActionIcon
              size={24}
              variant="subtle"
              color="gray"
              aria-label={copied ? 'Copied' : `Copy ${value}`}
              onClick={copy}
            >
              {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </span>
  );
}

const Fields = ({ fields }: { fields: Field[] }) =>
  fields.map((field) => (
    <Row key={field.key} label={field.label} hint={field.hint}>
      {field.code ? <CodeValue value={field.value} /> : field.value}
    </Row>
  ));

/** How long a state lasted; null for what begins at the very end, such as the last stop of a recording. */
function lastedWords(state: State, end: number, live: boolean): string | null {
  if (state.until !== null) return wordLength(state.until - state.from);
  if (live) return 'Goes on';
  return end - state.from > 1_000 ? 'Until the end of the session' : null;
}

interface EndedState {
  type_id: number;
  length_ms: number;
}

/** The states that a transition of the analysis says it ended. */
function endedStates(event: SessionEvent): EndedState[] {
  return Array.isArray(event.data.ended) ? (event.data.ended as EndedState[]) : [];
}

/** Everything the log holds of one event. `leave` takes the focus out of what is about to go away. */
export function EventDetails({ event, leave }: { event: SessionEvent; leave: () => void }) {
  const { model, choose, openStill } = useDesk();
  const type = model.types.get(event.type_id);
  const state = model.stateOf.get(event.sequence);
  const stills = stillsOf(event, model.captures);
  const chunks = event.evidence.filter((item) => item.kind === 'chunk');
  const lasted = state ? lastedWords(state, model.bounds.until, model.live) : null;
  const { main, repeat } = fieldsOf(event.data, type);
  const measures = event.data.measures;
  const late = event.received_at - event.occurred_at;
  const goOnTo = (next: SessionEvent | null) => {
    choose(next);
    leave();
  };
  return (
    <section className={classes.details} aria-label="Details of the selected event">
      <div className={classes.detailsHead}>
        <SeverityMark severity={event.severity} size={14} label={false} />
        <div className={classes.detailsTitle}>
          <h2>{event.name}</h2>
          <p>
            {SEVERITY_NAMES[event.severity]} · {sourceName(event.source)} ·{' '}
            {clockLength(event.occurred_at - model.zero, { hours: true, tenths: true })}
          </p>
        </div>
        <CloseButton aria-label="Close the details" onClick={() => goOnTo(null)} />
      </div>
      {type && <p className={classes.description}>{type.description}</p>}
      {stills.length > 0 && (
        <div className={classes.detailStills}>
          {stills.map((capture) => (
            <button
              key={capture.id}
              type="button"
              className={classes.stillButton}
              aria-label="Show the still large"
              onClick={() => openStill(capture.id)}
            >
              <StillPicture capture={capture} alt="" box={event.data.boxes ?? event.data.box} />
            </button>
          ))}
        </div>
      )}
      <dl className={classes.fields}>
        {lasted !== null && (
          <Row label="Lasted">
            {lasted}
            {state?.endedBy && (
              <button type="button" className={classes.textButton} onClick={() => goOnTo(state.endedBy)}>
                until {state.endedBy.name}
              </button>
            )}
          </Row>
        )}
        {endedStates(event).map((ended) => (
          <Row key={ended.type_id} label="Ended">
            {model.types.get(ended.type_id)?.name ?? `type ${ended.type_id}`}, which lasted{' '}
            {wordLength(ended.length_ms)}
          </Row>
        ))}
        <Fields fields={main} />
      </dl>
      {measures !== null && typeof measures === 'object' && (
        <MeasureTable measures={measures as Record<string, unknown>} />
      )}
      {repeat.length > 0 && (
        <>
          <h3>How it was found</h3>
          <dl className={classes.fields}>
            <Fields fields={repeat} />
          </dl>
        </>
      )}
      <h3>In the log</h3>
      <dl className={classes.fields}>
        <Row label="Happened">
          <time
            dateTime={new Date(event.occurred_at).toISOString()}
            title={wallDateTimeFull(event.occurred_at)}
          >
            {wallTime(event.occurred_at, true)}
          </time>
        </Row>
        <Row label="Received">
          {wallTime(event.received_at, true)}{' '}
          {Math.abs(late) >= 1_000 && `(${wordLength(Math.abs(late))} ${late > 0 ? 'later' : 'earlier'})`}
        </Row>
        <Row label="Entry">
          {event.sequence} · type {event.type_id}
        </Row>
        <Row label="Link" hint="Hash of this entry and the one before it">
          <CodeValue value={event.link} />
        </Row>
        {chunks.map((chunk) => (
          <Row
            key={`${chunk.track}/${chunk.number}`}
            label={`${trackName(chunk.track)} ${chunk.number}`}
            hint="SHA-256 of the chunk"
          >
            <CodeValue value={chunk.digest} />
          </Row>
        ))}
      </dl>
    </section>
  );
}

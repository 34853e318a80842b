import { IconCheck, IconX } from '@tabler/icons-react';
import { useMemo } from 'react';
import type { Capture } from '../../api/types';
import { clockLength, wallTime } from '../../time/format';
import { useDesk } from '../desk';
import { resultOf } from './results';
import { StillPicture } from './StillPicture';
import classes from './Stills.module.css';

const KINDS: [string, string][] = [
  ['face', 'Face'],
  ['document', 'Identity document'],
  ['room', 'Room'],
  ['camera_test', 'Camera test'],
  ['finding', 'Findings'],
];

export function kindName(kind: string): string {
  return KINDS.find(([id]) => id === kind)?.[1] ?? kind;
}

export function Result({ capture }: { capture: Capture }) {
  const result = resultOf(capture);
  if (!result) return null;
  const Icon = result.passed ? IconCheck : IconX;
  return (
    <span className={classes.result} data-passed={result.passed}>
      <Icon size={13} aria-hidden /> {result.text}
    </span>
  );
}

/** Every still of the session, by what it was taken for. */
export function StillsPanel() {
  const { model, openStill } = useDesk();
  const groups = useMemo(() => {
    const known = KINDS.map(([id]) => id);
    const kinds = [...new Set([...known, ...model.stills.map(({ capture }) => capture.kind)])];
    return kinds
      .map((kind) => ({ kind, stills: model.stills.filter(({ capture }) => capture.kind === kind) }))
      .filter(({ stills }) => stills.length > 0);
  }, [model.stills]);
  if (groups.length === 0) {
    return <p className={classes.none}>No stills were taken{model.live ? ' yet' : ''}.</p>;
  }
  return (
    <div className={classes.panel}>
      {groups.map(({ kind, stills }) => (
        <section key={kind}>
          <h2 className={classes.kind}>
            {kindName(kind)} <span>{stills.length}</span>
          </h2>
          <ul className={classes.grid}>
            {stills.map(({ capture, at }) => (
              <li key={capture.id}>
                <button type="button" className={classes.thumb} onClick={() => openStill(capture.id)}>
                  <StillPicture capture={capture} alt={`${kindName(kind)} at ${wallTime(at)}`} />
                  <span className={classes.thumbText}>
                    <span className="numbers">{clockLength(at - model.zero, { hours: true })}</span>
                    <Result capture={capture} />
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

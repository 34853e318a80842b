import { Alert, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import type { Accommodation } from '../../api/types';
import { ProblemAlert } from '../../app/Problems';
import classes from './Accommodations.module.css';
import { ChangedMeanwhile } from './useGrant';
import { findingNames, howWords } from './words';

/** Somebody else was quicker: what holds now. */
function Meanwhile({ now }: { now: readonly Accommodation[] }) {
  return (
    <Alert
      role="alert"
      color="orange"
      variant="light"
      icon={<IconUsers aria-hidden />}
      title="Somebody else has changed the accommodations meanwhile"
      classNames={{ title: classes.meanwhile ?? '' }}
    >
      <Text size="sm">
        Nothing of yours is saved yet. {now.length === 0 ? 'None holds now.' : 'These hold now:'}
      </Text>
      {now.length > 0 && (
        <ul className={classes.brief}>
          {now.map((one) => (
            <li key={one.type_ids.join()}>
              <strong>{findingNames(one.type_ids)}</strong>: {howWords(one).toLowerCase()}
              {one.by && ` – ${one.by}`}
            </li>
          ))}
        </ul>
      )}
      <Text size="sm" mt={6}>
        Look whether yours still fits, then go on. It leaves the others as they are.
      </Text>
    </Alert>
  );
}

/** Why nothing was saved, and what to do about it. */
export function Refused({ error }: { error: Error }) {
  const note = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // In a low window it would come below what is seen of the form.
    if (error) note.current?.scrollIntoView({ block: 'nearest' });
  }, [error]);
  return (
    <div ref={note}>
      {error instanceof ChangedMeanwhile ? <Meanwhile now={error.now} /> : <ProblemAlert error={error} />}
    </div>
  );
}

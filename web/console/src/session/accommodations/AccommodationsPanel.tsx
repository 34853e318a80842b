import { Button } from '@mantine/core';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { isOver, useMe } from '../../api/queries';
import type { Accommodation } from '../../api/types';
import { Dialog } from '../../app/Dialog';
import { useDesk } from '../desk';
import { AccommodationForm } from './AccommodationForm';
import classes from './Accommodations.module.css';
import { Withdrawal } from './Withdrawal';
import { findingNames, grantedWords, howWords } from './words';

type Task =
  | { do: 'grant'; all: readonly Accommodation[]; old: Accommodation | null }
  | { do: 'take back'; all: readonly Accommodation[]; old: Accommodation };

const NONE: Accommodation[] = [];

/** What holds for this candidate alone, who granted it and why; whoever may, changes it here. */
export function AccommodationsPanel() {
  const { model } = useDesk();
  const { session } = model;
  const all = session.accommodations ?? NONE;
  const me = useMe();
  const over = isOver(session);
  // The server lets every person of the organization grant; a key has no person and no console.
  const may = Boolean(me.data?.id) && !over;
  const [task, setTask] = useState<Task | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const close = () => {
    setTask(null);
    // The button that opened the dialog may belong to a card that is gone now.
    heading.current?.focus();
  };
  return (
    <section aria-labelledby="accommodations" className={classes.section}>
      <h2 id="accommodations" ref={heading} tabIndex={-1} className={classes.title}>
        Accommodations
      </h2>
      {all.length === 0 && (
        <p className={classes.none}>
          None: everything is looked for as the exam’s policy says.
          {over && ' The session is over, so none can be granted any more.'}
        </p>
      )}
      <ul className={classes.list}>
        {all.map((one) => {
          const names = findingNames(one.type_ids, model.types);
          return (
            <li key={one.type_ids.join()} className={classes.card}>
              <strong>{names}</strong>
              <p>{howWords(one)}</p>
              <p className={classes.reason}>{one.reason}</p>
              <p className={classes.granted}>{grantedWords(one)}</p>
              {may && (
                <div className={classes.actions}>
                  <Button
                    size="compact-sm"
                    fz={12}
                    variant="default"
                    leftSection={<IconPencil size={14} aria-hidden />}
                    aria-label={`Change: ${names}`}
                    onClick={() => setTask({ do: 'grant', all, old: one })}
                  >
                    Change
                  </Button>
                  <Button
                    size="compact-sm"
                    fz={12}
                    variant="default"
                    leftSection={<IconTrash size={14} aria-hidden />}
                    aria-label={`Take back: ${names}`}
                    onClick={() => setTask({ do: 'take back', all, old: one })}
                  >
                    Take back
                  </Button>
                </div>
              )}
            </li>
          );
        })}
      </ul>
      {all.length > 0 && over && (
        <p className={classes.none}>The session is over, so they can no longer be changed.</p>
      )}
      {may && (
        <Button
          size="xs"
          variant="light"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setTask({ do: 'grant', all, old: null })}
        >
          Grant an accommodation
        </Button>
      )}
      <Dialog
        opened={task !== null}
        close={close}
        size="lg"
        title={
          task?.do === 'take back'
            ? 'Take this accommodation back?'
            : task?.old
              ? 'Change an accommodation'
              : 'Grant an accommodation'
        }
      >
        {task?.do === 'grant' && (
          <AccommodationForm
            session={session.id}
            policy={session.policy}
            all={task.all}
            old={task.old}
            close={close}
          />
        )}
        {task?.do === 'take back' && (
          <Withdrawal session={session.id} all={task.all} old={task.old} close={close} />
        )}
      </Dialog>
    </section>
  );
}

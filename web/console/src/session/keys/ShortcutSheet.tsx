import { Kbd } from '@mantine/core';
import { Dialog } from '../../app/Dialog';
import classes from './ShortcutSheet.module.css';
import { SHORTCUTS } from './shortcuts';

const GROUPS = ['Findings', 'Playing', 'Timeline', 'Page'] as const;

export function ShortcutSheet({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Dialog opened={opened} close={close} title="Keyboard shortcuts" size="lg">
      <div className={classes.groups}>
        {GROUPS.map((group) => (
          <section key={group}>
            <h3 className={classes.title}>{group}</h3>
            <dl className={classes.keys}>
              {SHORTCUTS.filter((shortcut) => shortcut.group === group).map((shortcut) => (
                <div key={shortcut.text} className={classes.row}>
                  <dt>
                    {shortcut.shown.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dt>
                  <dd>{shortcut.text}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className={classes.note}>
        In the event list, ↑ and ↓ go from event to event. On the timeline, the wheel zooms and dragging pans.
      </p>
    </Dialog>
  );
}

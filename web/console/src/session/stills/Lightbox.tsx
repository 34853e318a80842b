import { ActionIcon, Button, Group } from '@mantine/core';
import { IconChevronLeft, IconChevronRight, IconPlayerPlay } from '@tabler/icons-react';
import { type KeyboardEvent, useMemo } from 'react';
import { Dialog } from '../../app/Dialog';
import { clockLength, wallDateTimeFull } from '../../time/format';
import { useDesk } from '../desk';
import { CodeValue } from '../events/EventDetails';
import { stillsOf } from '../evidence';
import { MeasureTable } from './MeasureTable';
import { StillPicture } from './StillPicture';
import classes from './Stills.module.css';
import { kindName, Result } from './StillsPanel';

/** Looks and reads as switched off, but keeps the focus: without it in the dialog the arrow keys would move the players. */
const switchedOff = (off: boolean) => ({ 'aria-disabled': off, 'data-disabled': off || undefined });

/** A still in large, with what its check measured. Left and right go through all stills. */
export function Lightbox({ captureId, close }: { captureId: string | null; close: () => void }) {
  const { model, openStill, goTo, choose } = useDesk();
  const index = model.stills.findIndex(({ capture }) => capture.id === captureId);
  const still = model.stills[index];
  const capture = captureId === null ? undefined : model.captures.get(captureId);
  const event = useMemo(
    () =>
      capture
        ? model.events.find((candidate) => stillsOf(candidate, model.captures).includes(capture))
        : undefined,
    [capture, model],
  );
  const go = (step: 1 | -1) => {
    const next = model.stills[index + step];
    if (next) openStill(next.capture.id);
  };
  const onKeyDown = (key: KeyboardEvent) => {
    if (key.key === 'ArrowLeft') go(-1);
    else if (key.key === 'ArrowRight') go(1);
    else return;
    key.preventDefault();
  };
  return (
    <Dialog
      opened={capture !== undefined}
      close={close}
      size="xl"
      title={
        capture
          ? `${kindName(capture.kind)}${index < 0 ? '' : ` · ${index + 1} of ${model.stills.length}`}`
          : ''
      }
    >
      {capture && (
        // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys work on everything inside
        <div onKeyDown={onKeyDown} className={classes.lightbox}>
          <div className={classes.lightboxStage}>
            <StillPicture
              capture={capture}
              alt={kindName(capture.kind)}
              box={capture.kind === 'finding' ? (event?.data.boxes ?? event?.data.box) : undefined}
              className={classes.large ?? ''}
              mostHeight="56vh"
            />
          </div>
          <Group justify="space-between" mt="sm">
            <Group gap="xs">
              <ActionIcon
                variant="default"
                size={34}
                aria-label="Still before"
                {...switchedOff(index <= 0)}
                onClick={() => go(-1)}
              >
                <IconChevronLeft size={18} aria-hidden />
              </ActionIcon>
              <ActionIcon
                variant="default"
                size={34}
                aria-label="Next still"
                {...switchedOff(index >= model.stills.length - 1)}
                onClick={() => go(1)}
                data-autofocus
              >
                <IconChevronRight size={18} aria-hidden />
              </ActionIcon>
              {event && <span>{event.name}</span>}
            </Group>
            {still && (
              <Button
                variant="default"
                leftSection={<IconPlayerPlay size={16} aria-hidden />}
                onClick={() => {
                  close();
                  if (event) choose(event);
                  else goTo(still.at);
                }}
              >
                Go to {clockLength(still.at - model.zero, { hours: true })}
              </Button>
            )}
          </Group>
          <dl className={classes.facts}>
            <dt>Taken</dt>
            <dd>{wallDateTimeFull(capture.captured_at)}</dd>
            <dt>Size</dt>
            <dd className="numbers">
              {capture.width} × {capture.height}
            </dd>
            <dt>SHA-256</dt>
            <dd>
              <CodeValue value={capture.digest} />
            </dd>
            {typeof capture.passed === 'boolean' && (
              <>
                <dt>Check</dt>
                <dd>
                  <Result capture={capture} />
                </dd>
              </>
            )}
          </dl>
          {capture.measures && <MeasureTable measures={capture.measures} />}
        </div>
      )}
    </Dialog>
  );
}

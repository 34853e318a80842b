import { Switch } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconMaximize, IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { useMemo } from 'react';
import { SeverityMark } from '../../severity/SeverityMark';
import { isFinding, SEVERITIES, SEVERITY_NAMES } from '../../severity/severity';
import { wordLength } from '../../time/format';
import { useDesk, useRange } from '../desk';
import { IconButton, keepFocus } from '../players/Controls';
import { LanesCanvas } from './LanesCanvas';
import type { Lane } from './lanes';
import { Overview } from './Overview';
import classes from './Timeline.module.css';
import { lengthOf } from './viewport';
import { ZOOM_STEP } from './zoomStep';

const findingsOnly = (lanes: readonly Lane[]): Lane[] =>
  lanes
    .map((lane) => ({
      ...lane,
      marks: lane.marks.filter((mark) => isFinding(mark.event)),
      bars: lane.bars.filter((bar) => isFinding(bar.state.event)),
    }))
    .filter((lane) => lane.marks.length > 0);

function Shown() {
  const { window: view } = useDesk();
  const range = useRange(view);
  return <span className={classes.shown}>{wordLength(lengthOf(range))} shown</span>;
}

export function Timeline() {
  const { model, window: view, playback } = useDesk();
  const [only, setOnly] = useLocalStorage({
    key: 'openproctor-findings-only',
    defaultValue: false,
    getInitialValueInEffect: false,
  });
  const lanes = useMemo(() => (only ? findingsOnly(model.lanes) : model.lanes), [only, model.lanes]);
  return (
    <section className={classes.timeline} aria-label="Timeline">
      <div className={classes.toolbar}>
        <div className={classes.legend}>
          {SEVERITIES.map((severity) => (
            <span key={severity}>
              <SeverityMark severity={severity} label={false} /> {SEVERITY_NAMES[severity]}
            </span>
          ))}
        </div>
        <Switch
          size="xs"
          label="Findings only"
          checked={only}
          onChange={(event) => setOnly(event.currentTarget.checked)}
          onMouseDown={keepFocus}
        />
        <div className={classes.spring} />
        <Shown />
        <div className={classes.zoom}>
          <IconButton label="Zoom out" hint="-" onClick={() => view.zoomAround(1 / ZOOM_STEP, playback.at)}>
            <IconZoomOut size={18} aria-hidden />
          </IconButton>
          <IconButton label="Zoom in" hint="+" onClick={() => view.zoomAround(ZOOM_STEP, playback.at)}>
            <IconZoomIn size={18} aria-hidden />
          </IconButton>
          <IconButton label="Whole session" hint="0" onClick={() => view.whole()}>
            <IconMaximize size={18} aria-hidden />
          </IconButton>
        </div>
      </div>
      <Overview />
      <LanesCanvas tracks={model.tracks} lanes={lanes} />
    </section>
  );
}

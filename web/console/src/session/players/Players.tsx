import { useDesk } from '../desk';
import { Controls } from './Controls';
import { NowPanel } from './NowPanel';
import classes from './Players.module.css';
import { PlayerTile } from './PlayerTile';
import type { LargeTrack } from './useLargeTrack';
import { useLayout } from './useLayout';

/** The recordings of a session in step, one of them large. */
export function Players({ large }: { large: LargeTrack }) {
  const { model } = useDesk();
  const [layout, setLayout] = useLayout();
  const several = model.tracks.length > 1;
  return (
    <section className={classes.players} aria-label="Recordings">
      <div className={classes.stage} data-layout={several ? layout : 'alone'}>
        {/* Always in the same order: moving a <video> in the page would stop it. */}
        {model.tracks.map((lane) => (
          <PlayerTile
            key={lane.track}
            lane={lane}
            large={lane.track === large.track}
            enlarge={() => large.set(lane.track)}
          />
        ))}
        {model.tracks.length === 0 && <p className={classes.none}>The exam records nothing.</p>}
        {several && layout === 'beside' && <NowPanel />}
      </div>
      <Controls
        layout={layout}
        setLayout={setLayout}
        swap={several ? large.swap : null}
        large={large.track}
      />
    </section>
  );
}

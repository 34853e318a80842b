import { AccommodationsPanel } from '../accommodations/AccommodationsPanel';
import { useDesk } from '../desk';
import classes from './Checks.module.css';
import { policyRows } from './words';

/** What holds for this candidate alone, then what the exam asked for: what was recorded, looked for and noted. */
export function PolicyPanel() {
  const { model } = useDesk();
  const { policy } = model.session;
  return (
    <div className={classes.panel}>
      <AccommodationsPanel />
      {policyRows(policy).map(({ title, rows }) => (
        <section key={title}>
          <h2 className={classes.title}>{title}</h2>
          <dl className={classes.facts}>
            {rows.map(([label, value]) => (
              <div key={label} className={classes.factRow}>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

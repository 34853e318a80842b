import { useDesk } from '../desk';
import classes from './Checks.module.css';
import { accommodationRows, policyRows } from './words';

/** What the exam asked for: what was recorded, looked for and noted. */
export function PolicyPanel() {
  const { model } = useDesk();
  const { policy, accommodations = [] } = model.session;
  return (
    <div className={classes.panel}>
      {accommodations.length > 0 && (
        <section>
          <h2 className={classes.title}>Accommodations</h2>
          <dl className={classes.facts}>
            {accommodationRows(accommodations, model.types).map(({ key, label, value }) => (
              <div key={key} className={classes.factRow}>
                <dt>{label}</dt>
                <dd className={classes.written}>{value}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
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

import { IconCheck, IconX } from '@tabler/icons-react';
import { measuresOf } from './measures';
import classes from './Stills.module.css';

export function MeasureTable({ measures }: { measures: Record<string, unknown> }) {
  const rows = measuresOf(measures);
  if (rows.length === 0) return null;
  const limits = rows.some((row) => row.limit !== '');
  return (
    <table className={classes.measures}>
      <thead>
        <tr>
          <th scope="col">Measure</th>
          <th scope="col">Value</th>
          {limits && <th scope="col">Limit</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.key}>
            <th scope="row">{row.label}</th>
            <td>
              {row.passed === true && (
                <IconCheck size={13} aria-label="within the limit" className={classes.good ?? ''} />
              )}
              {row.passed === false && (
                <IconX size={13} aria-label="outside the limit" className={classes.off ?? ''} />
              )}
              {row.value}
            </td>
            {limits && <td>{row.limit}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

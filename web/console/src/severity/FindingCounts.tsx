import { VisuallyHidden } from '@mantine/core';
import classes from './FindingCounts.module.css';
import { SeverityMark } from './SeverityMark';
import { SEVERITY_NAMES, type Severity } from './severity';

const SHOWN: Severity[] = ['high', 'medium', 'low'];

/** Findings by severity: shape, colour and number, in fixed places so that a column can be read downwards. */
export function FindingCounts({ findings }: { findings: Record<Severity, number> }) {
  const total = SHOWN.reduce((sum, severity) => sum + (findings[severity] ?? 0), 0);
  return (
    <span className={classes.counts}>
      <VisuallyHidden>
        {total === 0
          ? 'No findings'
          : SHOWN.filter((severity) => findings[severity] > 0)
              .map((severity) => `${findings[severity]} ${SEVERITY_NAMES[severity].toLowerCase()}`)
              .join(', ')}
      </VisuallyHidden>
      {SHOWN.map((severity) => (
        <span
          key={severity}
          className={classes.count}
          data-severity={severity}
          data-none={!findings[severity] || undefined}
          title={`${SEVERITY_NAMES[severity]}: ${findings[severity] ?? 0}`}
          aria-hidden="true"
        >
          {findings[severity] ? (
            <>
              <SeverityMark severity={severity} size={10} label={false} />
              {findings[severity]}
            </>
          ) : (
            '–'
          )}
        </span>
      ))}
    </span>
  );
}

import { Button, CloseButton, MultiSelect, TextInput, UnstyledButton } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useMemo } from 'react';
import { SeverityMark } from '../../severity/SeverityMark';
import { SEVERITIES, SEVERITY_NAMES, type Severity } from '../../severity/severity';
import { useDesk } from '../desk';
import classes from './Events.module.css';
import { type EventFilter, isFiltered, NO_FILTER } from './filter';

/** `3.2k` from a thousand on: four buttons have to fit into one row. */
const shortCount = (n: number): string => (n < 1_000 ? String(n) : `${(n / 1_000).toFixed(1)}k`);

export function EventFilters({
  filter,
  setFilter,
}: {
  filter: EventFilter;
  setFilter: (filter: EventFilter) => void;
}) {
  const { model } = useDesk();
  const counts = useMemo(() => {
    const all: Record<Severity, number> = { high: 0, medium: 0, low: 0, info: 0 };
    for (const event of model.events) all[event.severity] += 1;
    return all;
  }, [model.events]);
  const categories = useMemo(
    () => model.lanes.map((lane) => ({ value: lane.id, label: lane.name })),
    [model.lanes],
  );
  const toggle = (severity: Severity) =>
    setFilter({
      ...filter,
      severities: filter.severities.includes(severity)
        ? filter.severities.filter((other) => other !== severity)
        : [...filter.severities, severity],
    });
  return (
    <search className={classes.filters}>
      <fieldset className={classes.severities}>
        <legend className={classes.hidden}>Severity</legend>
        {SEVERITIES.map((severity) => (
          <UnstyledButton
            key={severity}
            className={classes.severity}
            aria-pressed={filter.severities.includes(severity)}
            onClick={() => toggle(severity)}
          >
            <SeverityMark severity={severity} size={11} label={false} />
            <span>{SEVERITY_NAMES[severity]}</span>
            <span className={classes.severityCount}>{shortCount(counts[severity])}</span>
          </UnstyledButton>
        ))}
      </fieldset>
      <div className={classes.filterRow}>
        <TextInput
          size="xs"
          aria-label="Search the events"
          placeholder="Search the events"
          leftSection={<IconSearch size={14} aria-hidden />}
          value={filter.text}
          onChange={(event) => setFilter({ ...filter, text: event.currentTarget.value })}
          rightSection={
            filter.text !== '' && (
              <CloseButton
                size="xs"
                aria-label="Clear the search"
                onClick={() => setFilter({ ...filter, text: '' })}
              />
            )
          }
        />
        <MultiSelect
          size="xs"
          aria-label="Categories"
          placeholder={filter.categories.length === 0 ? 'All categories' : ''}
          data={categories}
          value={[...filter.categories]}
          onChange={(value) => setFilter({ ...filter, categories: value })}
          clearable
          clearButtonProps={{ 'aria-label': 'All categories' }}
          comboboxProps={{ withinPortal: true }}
        />
      </div>
      {isFiltered(filter) && (
        <Button
          size="compact-xs"
          variant="subtle"
          className={classes.clear ?? ''}
          onClick={() => setFilter(NO_FILTER)}
        >
          Clear the filter
        </Button>
      )}
    </search>
  );
}

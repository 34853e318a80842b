import { CloseButton, Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { type SessionFilter, useExams } from '../api/queries';
import type { SessionState } from '../api/types';
import { STATE_NAMES } from './SessionStateBadge';
import classes from './SessionsPage.module.css';

const STATES = Object.entries(STATE_NAMES).map(([value, label]) => ({ value, label }));

export function SessionFilters({
  filter,
  change,
}: {
  filter: SessionFilter;
  change: (change: Partial<SessionFilter>) => void;
}) {
  const exams = useExams();
  const choices = (exams.data?.items ?? []).map((exam) => ({ value: exam.id, label: exam.title }));
  return (
    <search className={classes.filters}>
      <TextInput
        className={classes.search ?? ''}
        aria-label="Search by candidate or id"
        placeholder="Candidate's name or id, session id"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={filter.q}
        onChange={(event) => change({ q: event.currentTarget.value })}
        rightSection={
          filter.q !== '' && (
            <CloseButton size="sm" aria-label="Clear the search" onClick={() => change({ q: '' })} />
          )
        }
      />
      <Select
        aria-label="Exam"
        placeholder="All exams"
        data={choices}
        value={filter.examId || null}
        onChange={(value) => change({ examId: value ?? '' })}
        clearable
        clearButtonProps={{ 'aria-label': 'All exams' }}
        searchable={choices.length > 8}
        nothingFoundMessage="No exam of that name"
      />
      <Select
        aria-label="State"
        placeholder="All states"
        data={STATES}
        value={filter.state || null}
        onChange={(value) => change({ state: (value ?? '') as SessionState | '' })}
        clearable
        clearButtonProps={{ 'aria-label': 'All states' }}
      />
    </search>
  );
}

import { Button, Checkbox, Group, NumberInput, Radio, Stack, Text, Textarea } from '@mantine/core';
import { type FormEvent, useRef, useState } from 'react';
import type { Accommodation, Policy } from '../../api/types';
import classes from './Accommodations.module.css';
import { FACTOR, FINDINGS, LONGEST_REASON, takenBy, wishOf, without } from './grants';
import { Refused } from './Refused';
import { ChangedMeanwhile, useGrant } from './useGrant';
import { findingName } from './words';

interface Draft {
  types: number[];
  what: 'off' | 'relaxed';
  factor: number | string;
  reason: string;
}

type Faults = Partial<Record<'types' | 'factor' | 'reason', string>>;

const draftOf = (one: Accommodation | null): Draft => ({
  types: one?.type_ids ?? [],
  what: one?.what ?? 'off',
  factor: one?.factor ?? FACTOR.usual,
  reason: one?.reason ?? '',
});

/** What is missing or cannot be, in the words that the form shows beside it. */
function faultsOf(draft: Draft, taken: ReadonlyMap<number, Accommodation>): Faults {
  const faults: Faults = {};
  const twice = draft.types.find((type) => taken.has(type));
  if (draft.types.length === 0) faults.types = 'Choose at least one';
  else if (twice !== undefined)
    faults.types = `“${findingName(twice)}” is in another accommodation: change that one, or leave it out here`;
  const factor = Number(draft.factor);
  if (draft.what === 'relaxed' && !(draft.factor !== '' && factor >= FACTOR.least && factor <= FACTOR.most))
    faults.factor = `A number from ${FACTOR.least} to ${FACTOR.most}`;
  if (draft.reason.trim() === '') faults.reason = 'Say why: it stands in the log beside your name';
  return faults;
}

/** Grants an accommodation, or changes `old`; all others stay as they are. */
export function AccommodationForm({
  session,
  policy,
  all,
  old,
  close,
}: {
  session: string;
  policy: Policy;
  /** What held when the form was opened. */
  all: readonly Accommodation[];
  old: Accommodation | null;
  close: () => void;
}) {
  const [draft, setDraft] = useState(() => draftOf(old));
  const [shown, setShown] = useState(all);
  const [faults, setFaults] = useState<Faults>({});
  const grant = useGrant(session);
  const form = useRef<HTMLFormElement>(null);
  const taken = takenBy(without(shown, old));
  const change = (part: Partial<Draft>) => {
    const next = { ...draft, ...part };
    setDraft(next);
    // A fault goes as soon as it is mended; new ones are told when somebody saves.
    const left = faultsOf(next, taken);
    setFaults((told) =>
      Object.fromEntries(Object.entries(told).filter(([field]) => left[field as keyof Faults])),
    );
  };

  const save = (event: FormEvent) => {
    event.preventDefault();
    const found = faultsOf(draft, taken);
    setFaults(found);
    const first = (['types', 'factor', 'reason'] as const).find((field) => found[field] !== undefined);
    if (first) {
      form.current
        ?.querySelector<HTMLElement>(`[data-field="${first}"] :is(input:enabled, textarea)`)
        ?.focus();
      return;
    }
    const mine: Accommodation = {
      type_ids: [...draft.types].sort((a, b) => a - b),
      what: draft.what,
      factor: draft.what === 'relaxed' ? Number(draft.factor) : null,
      reason: draft.reason.trim(),
    };
    grant.mutate(
      { shown, wanted: [...without(shown, old), mine].map(wishOf) },
      {
        onSuccess: close,
        onError: (error) => {
          if (error instanceof ChangedMeanwhile) setShown(error.now);
        },
      },
    );
  };

  return (
    <form ref={form} onSubmit={save} noValidate>
      <Stack gap="md">
        <div data-field="types">
          <Checkbox.Group
            label="What is this about?"
            description="Only what the analysis finds in picture and sound. What the page itself notes, such as a window left, goes on."
            withAsterisk
            value={draft.types.map(String)}
            onChange={(types) => change({ types: types.map(Number) })}
            error={faults.types}
            errorProps={{ mt: 8 }}
          >
            <div className={classes.findings}>
              {FINDINGS.map(({ type, detector, name }) => {
                const other = taken.get(type);
                const off = policy.detectors?.[detector] === false;
                const hint = other
                  ? 'In another accommodation'
                  : off
                    ? 'This exam does not look for it'
                    : null;
                return (
                  <Checkbox
                    key={type}
                    value={String(type)}
                    label={name}
                    {...(hint ? { description: hint } : {})}
                    disabled={other !== undefined && !draft.types.includes(type)}
                  />
                );
              })}
            </div>
          </Checkbox.Group>
        </div>
        <Radio.Group
          label="How shall it be looked for?"
          value={draft.what}
          onChange={(what) => change({ what: what as Draft['what'] })}
        >
          <Stack gap="xs" mt={6}>
            <Radio value="off" label="Not at all" description="It is not raised any more." />
            <Radio
              value="relaxed"
              label="Less strictly"
              description="It must last longer before it is raised; phones, books, computers and speech must be found more surely too."
            />
          </Stack>
        </Radio.Group>
        {draft.what === 'relaxed' && (
          <div data-field="factor">
            <NumberInput
              label="How many times as long must it last?"
              withAsterisk
              min={FACTOR.least}
              max={FACTOR.most}
              clampBehavior="none"
              step={1}
              decimalScale={1}
              classNames={{ wrapper: classes.factor ?? '' }}
              value={draft.factor}
              onChange={(factor) => change({ factor })}
              error={faults.factor}
            />
          </div>
        )}
        <div data-field="reason">
          <Textarea
            label="Why?"
            description="It stands in the log with your name and the time; the candidate’s page says nothing of it. Write no more than others have to know."
            withAsterisk
            rows={3}
            resize="vertical"
            maxLength={LONGEST_REASON}
            value={draft.reason}
            onChange={(event) => change({ reason: event.currentTarget.value })}
            error={faults.reason}
          />
          <Text size="xs" c="dimmed" ta="right" mt={4} className="numbers">
            {draft.reason.length} of {LONGEST_REASON} characters
          </Text>
        </div>
        <Text size="xs" c="dimmed">
          It holds for what is recorded from now on. What was found before stays.
        </Text>
        {grant.isError && <Refused error={grant.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={grant.isPending}>
            {old ? 'Save the change' : 'Grant it'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

import { Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { Accommodation } from '../../api/types';
import { wishOf, without } from './grants';
import { Refused } from './Refused';
import { ChangedMeanwhile, useGrant } from './useGrant';
import { findingNames } from './words';

/** Asks once more before an accommodation is taken back; all others stay as they are. */
export function Withdrawal({
  session,
  all,
  old,
  close,
}: {
  session: string;
  /** What held when the question was asked. */
  all: readonly Accommodation[];
  old: Accommodation;
  close: () => void;
}) {
  const [shown, setShown] = useState(all);
  const grant = useGrant(session);
  const takeBack = () =>
    grant.mutate(
      { shown, wanted: without(shown, old).map(wishOf) },
      {
        onSuccess: close,
        onError: (error) => {
          if (error instanceof ChangedMeanwhile) setShown(error.now);
        },
      },
    );
  return (
    <Stack gap="md">
      <Text size="sm">
        From now on this exam’s own rules hold again for: <strong>{findingNames(old.type_ids)}</strong>. That
        it was granted, why and by whom stays in the log.
      </Text>
      {grant.isError && <Refused error={grant.error} />}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={close} data-autofocus>
          Keep it
        </Button>
        <Button color="red.9" loading={grant.isPending} onClick={takeBack}>
          Take it back
        </Button>
      </Group>
    </Stack>
  );
}

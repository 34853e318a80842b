import { Skeleton, Stack } from '@mantine/core';
import classes from './SessionTable.module.css';

export function SessionListSkeleton() {
  return (
    <div className={classes.frame} role="status" aria-label="Loading the sessions">
      <Stack gap={18} p="md">
        {[0, 1, 2, 3, 4, 5, 6, 7].map((row) => (
          <Skeleton key={row} h={38} radius="sm" />
        ))}
      </Stack>
    </div>
  );
}

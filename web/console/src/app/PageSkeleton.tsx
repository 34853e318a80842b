import { Container, Skeleton, Stack } from '@mantine/core';

export function PageSkeleton() {
  return (
    <Container size="xl" py="xl" aria-busy="true">
      <Stack>
        <Skeleton h={36} w={240} />
        <Skeleton h={48} />
        <Skeleton h={320} />
      </Stack>
    </Container>
  );
}

import { useLocalStorage } from '@mantine/hooks';

/** Where the small recordings are: beside the large one or inside it. */
export type Layout = 'beside' | 'inside';

/** The viewer's last choice, also in other sessions. */
export const useLayout = () =>
  useLocalStorage<Layout>({
    key: 'openproctor-players',
    defaultValue: 'beside',
    getInitialValueInEffect: false,
  });

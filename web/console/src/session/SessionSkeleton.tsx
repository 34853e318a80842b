import { Skeleton } from '@mantine/core';
import classes from './SessionPage.module.css';

/** The page's own shape while it loads, so that nothing jumps. */
export function SessionSkeleton() {
  return (
    <div className={classes.page} role="status" aria-label="Loading the session">
      <div className={classes.header}>
        <Skeleton h={40} w={280} />
        <div className={classes.facts}>
          <Skeleton h={24} w={320} />
        </div>
      </div>
      <div className={classes.columns}>
        <div className={classes.left}>
          <Skeleton className={classes.fill ?? ''} mih={230} />
          <Skeleton h={40} />
          <Skeleton h={330} />
        </div>
        <div className={classes.right}>
          <Skeleton h="100%" mih={400} />
        </div>
      </div>
    </div>
  );
}

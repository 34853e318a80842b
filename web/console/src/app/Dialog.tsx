import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';

/** A dialog of the console. Its head is no banner of the page, which the library's own <header> would claim to be. */
export function Dialog({
  opened,
  close,
  title,
  size,
  children,
}: {
  opened: boolean;
  close: () => void;
  title: string;
  size: string;
  children: ReactNode;
}) {
  return (
    <Modal.Root opened={opened} onClose={close} size={size}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Header role="presentation">
          <Modal.Title>{title}</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </Modal.Header>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

import type { Capture } from '../../api/types';
import classes from './Stills.module.css';

type Box = [number, number, number, number];

const isBox = (value: unknown): value is Box =>
  Array.isArray(value) && value.length === 4 && value.every((part) => typeof part === 'number');

/** A still in its own shape, with the place of a finding (fractions of the picture) outlined. */
export function StillPicture({
  capture,
  alt,
  box,
  className,
  mostHeight,
}: {
  capture: Capture;
  alt: string;
  box?: unknown;
  className?: string;
  /** A CSS length; the picture gets narrower rather than higher. */
  mostHeight?: string;
}) {
  const boxes = isBox(box) ? [box] : Array.isArray(box) ? box.filter(isBox) : [];
  return (
    <span
      className={`${classes.picture} ${className ?? ''}`}
      style={{
        aspectRatio: `${capture.width || 4} / ${capture.height || 3}`,
        ...(mostHeight
          ? { maxWidth: `calc(${mostHeight} * ${(capture.width || 4) / (capture.height || 3)})` }
          : {}),
      }}
    >
      <img
        src={capture.url}
        alt={alt}
        width={capture.width}
        height={capture.height}
        loading="lazy"
        decoding="async"
      />
      {boxes.map(([left, top, right, bottom]) => (
        <span
          key={`${left}/${top}`}
          className={classes.box}
          style={{
            left: `${left * 100}%`,
            top: `${top * 100}%`,
            width: `${(right - left) * 100}%`,
            height: `${(bottom - top) * 100}%`,
          }}
        />
      ))}
    </span>
  );
}

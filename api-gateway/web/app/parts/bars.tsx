import { texts } from '../kit/texts.ts';

/** How much of a limit is used. */
interface Bar {
  readonly name: string;
  readonly used: number;
  /** -1: there is none. */
  readonly limit: number;
}

/** Bars with their figures. */
export function Bars(props: { bars: readonly Bar[] }) {
  return (
    <div class="bars">
      {props.bars.map(({ name, used, limit }) => (
        <div class="bar" key={name}>
          <div class="label">
            <span>{name}</span>
            <span>{texts.quotas.of(used, limit)}</span>
          </div>
          {limit < 0 ? null : (
            <meter
              aria-label={name}
              min={0}
              max={Math.max(limit, 1)}
              high={Math.max(limit, 1) * 0.8}
              low={Math.max(limit, 1) * 0.8}
              optimum={0}
              value={Math.min(used, Math.max(limit, 1))}
            >
              {texts.quotas.of(used, limit)}
            </meter>
          )}
        </div>
      ))}
    </div>
  );
}

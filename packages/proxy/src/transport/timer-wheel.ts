import type { Clock, Timer } from '@weft/base';

/** Width of a slot: no timeout is more exact than this. */
export const wheelTickMs = 10;
const slotCount = 1024;

/** Who owns a timer is told by `onTimer`, with the number that it gave the timer. */
export interface TimerOwner {
  onTimer(kind: number): void;
}

/**
 * A timer that lives as long as its owner and is armed again and again. Arming later than before and cancelling only
 * write a number: the entry stays where it is until its slot comes up. So a request costs no timer.
 */
export class WheelTimer {
  readonly owner: TimerOwner;
  readonly kind: number;
  /** When it is due (monotonic); `Infinity` = not armed. */
  deadlineMs: number = Number.POSITIVE_INFINITY;
  /** @internal the time of the slot that it hangs in; 0 = in none. */
  slotMs = 0;
  /** @internal */
  next: WheelTimer | undefined = undefined;
  /** @internal */
  previous: WheelTimer | undefined = undefined;
  /** @internal */
  slot = -1;
  /** @internal the wheel that it hangs in. */
  wheel: TimerWheel | undefined = undefined;

  constructor(owner: TimerOwner, kind: number) {
    this.owner = owner;
    this.kind = kind;
  }

  get armed(): boolean {
    return this.deadlineMs !== Number.POSITIVE_INFINITY;
  }
}

/** One coarse wheel for all timeouts of the data plane: slots of `wheelTickMs`, longer waits go round. */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #report: (error: unknown) => void;
  readonly #slots: (WheelTimer | undefined)[] = new Array<WheelTimer | undefined>(slotCount).fill(undefined);
  #linked = 0;
  /** The tick up to which slots were visited. */
  #visited: number;
  #wake: Timer | undefined = undefined;
  #wakeTick = 0;

  /** @param report gets what an owner throws; the wheel goes on. */
  constructor(clock: Clock, report: (error: unknown) => void) {
    this.#clock = clock;
    this.#report = report;
    this.#visited = Math.floor(clock.monotonicMs() / wheelTickMs);
  }

  /** Makes `timer` due `delayMs` after `nowMs` (monotonic). */
  arm(timer: WheelTimer, nowMs: number, delayMs: number): void {
    const deadline = nowMs + delayMs;
    if (timer.slot >= 0 && timer.wheel !== this) {
      timer.wheel?.remove(timer);
    }
    timer.deadlineMs = deadline;
    if (timer.slot >= 0) {
      if (deadline >= timer.slotMs) {
        return;
      }
      this.#unlink(timer);
    }
    this.#link(timer, deadline);
  }

  cancel(timer: WheelTimer): void {
    timer.deadlineMs = Number.POSITIVE_INFINITY;
  }

  /** Takes the timer out of the wheel for good, so that its owner can be forgotten. */
  remove(timer: WheelTimer): void {
    timer.deadlineMs = Number.POSITIVE_INFINITY;
    const { wheel } = timer;
    if (timer.slot >= 0 && wheel !== undefined) {
      wheel.#unlink(timer);
    }
  }

  close(): void {
    this.#wake?.cancel();
    this.#wake = undefined;
    for (let slot = 0; slot < slotCount; slot += 1) {
      for (let timer = this.#slots[slot]; timer !== undefined; timer = this.#slots[slot]) {
        this.remove(timer);
      }
    }
  }

  #link(timer: WheelTimer, deadlineMs: number): void {
    if (this.#linked === 0) {
      this.#visited = Math.floor(this.#clock.monotonicMs() / wheelTickMs);
    }
    const wanted = Math.ceil(deadlineMs / wheelTickMs);
    const tick = Math.min(Math.max(wanted, this.#visited + 1), this.#visited + slotCount - 1);
    const slot = tick % slotCount;
    timer.slot = slot;
    timer.wheel = this;
    timer.slotMs = tick * wheelTickMs;
    timer.previous = undefined;
    const first = this.#slots[slot];
    timer.next = first;
    if (first !== undefined) {
      first.previous = timer;
    }
    this.#slots[slot] = timer;
    this.#linked += 1;
    if (this.#wake === undefined || tick < this.#wakeTick) {
      this.#schedule(tick);
    }
  }

  #unlink(timer: WheelTimer): void {
    if (timer.previous === undefined) {
      this.#slots[timer.slot] = timer.next;
    } else {
      timer.previous.next = timer.next;
    }
    if (timer.next !== undefined) {
      timer.next.previous = timer.previous;
    }
    timer.next = undefined;
    timer.previous = undefined;
    timer.slot = -1;
    timer.slotMs = 0;
    this.#linked -= 1;
  }

  #schedule(tick: number): void {
    this.#wake?.cancel();
    this.#wakeTick = tick;
    const delayMs = Math.max(1, tick * wheelTickMs - this.#clock.monotonicMs());
    this.#wake = this.#clock.setTimeout(() => this.#turn(), delayMs, { unref: true });
  }

  #turn(): void {
    this.#wake = undefined;
    const nowMs = this.#clock.monotonicMs();
    const nowTick = Math.floor(nowMs / wheelTickMs);
    const until = Math.min(nowTick, this.#visited + slotCount);
    for (let tick = this.#visited + 1; tick <= until; tick += 1) {
      this.#visited = tick;
      this.#visit(tick % slotCount, nowMs);
    }
    this.#visited = Math.max(this.#visited, nowTick);
    if (this.#linked > 0) {
      // What was armed meanwhile may have set the wake-up later than what was there before needs it.
      for (let tick = this.#visited + 1; tick <= this.#visited + slotCount; tick += 1) {
        if (this.#slots[tick % slotCount] !== undefined) {
          if (this.#wake === undefined || tick < this.#wakeTick) {
            this.#schedule(tick);
          }
          break;
        }
      }
    }
  }

  #visit(slot: number, nowMs: number): void {
    let timer = this.#slots[slot];
    this.#slots[slot] = undefined;
    // The chain is cut off first: owners may arm and remove timers, their own and others', while it is walked.
    const due: WheelTimer[] = [];
    while (timer !== undefined) {
      const next: WheelTimer | undefined = timer.next;
      timer.next = undefined;
      timer.previous = undefined;
      timer.slot = -1;
      timer.slotMs = 0;
      this.#linked -= 1;
      due.push(timer);
      timer = next;
    }
    for (const entry of due) {
      if (entry.slot >= 0 || entry.deadlineMs === Number.POSITIVE_INFINITY) {
        continue;
      }
      if (entry.deadlineMs > nowMs) {
        this.#link(entry, entry.deadlineMs);
        continue;
      }
      entry.deadlineMs = Number.POSITIVE_INFINITY;
      try {
        entry.owner.onTimer(entry.kind);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}

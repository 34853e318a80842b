"""What OpenProctor claims of its speed, measured: every figure beside a bare program on the same engine, in one run."""

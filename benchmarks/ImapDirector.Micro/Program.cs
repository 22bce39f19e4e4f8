using BenchmarkDotNet.Running;

// Names or parts of them choose: --filter '*Parser*'; without, it asks.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);

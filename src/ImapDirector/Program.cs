using ImapDirector.CommandLine;

// Commits to disk hold a thread each: without a floor, a pool sized for two cores would make everybody else wait for them.
ThreadPool.SetMinThreads(64, 64);
return await CommandTree.RunAsync(args);

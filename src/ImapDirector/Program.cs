using ImapDirector.CommandLine;

return await CommandTree.RunAsync(args);

using System.CommandLine;
using ImapDirector.Configuration;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector keys …</c>: what directors log in with at nodes.</summary>
internal static class KeysCommand
{
    private static readonly Option<string> Directory = new("--directory", "-d")
    {
        Description = "Where the two files are written; made, for its owner only, when it is missing.",
        HelpName = "DIR",
        Required = true,
    };

    public static Command Create()
    {
        var create = new Command("new", "Make a pair of keys: the private one for a director (AssertionKeyFile), the public one for the nodes (AssertionKeys).") { Directory };
        create.SetAction(New);
        return new Command("keys", "Make the keys that directors log in with at nodes.") { create };
    }

    private static int New(ParseResult result)
    {
        var (directory, output) = (result.GetValue(Directory)!, result.InvocationConfiguration.Output);
        try
        {
            if (OperatingSystem.IsWindows()) System.IO.Directory.CreateDirectory(directory);
            else System.IO.Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var pair = AssertionKeyPair.Create(directory, directory);
            output.WriteLine($"{pair.PrivateFile}  for the director: AssertionKeyFile");
            output.WriteLine($"{pair.PublicFile}  for the nodes: AssertionKeys");
            return ExitCode.Ok;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            result.InvocationConfiguration.Error.WriteLine($"imapdirector: --directory is \"{directory}\", where nothing can be written ({refused.GetType().Name}): name a directory that you may write to.");
            return ExitCode.InputOutput;
        }
    }
}

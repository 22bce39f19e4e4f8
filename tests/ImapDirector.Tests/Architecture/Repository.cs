using System.Text.RegularExpressions;

namespace ImapDirector.Tests.Architecture;

/// <summary>The files of this repository, found from the folder the tests run in.</summary>
internal static class Repository
{
    private static readonly string[] Built = ["bin", "obj", "TestResults", "BenchmarkDotNet.Artifacts"];

    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<SourceFile> Sources { get; } = [.. Files("src", "*.cs").Select(path => new SourceFile(path))];

    public static IReadOnlyList<SourceFile> Tests { get; } = [.. Files("tests", "*.cs").Select(path => new SourceFile(path))];

    /// <summary>Paths below a folder, relative to the root with '/', without what the build makes.</summary>
    public static IEnumerable<string> Files(string folder, string pattern)
    {
        var start = Path.Combine(Root, folder);
        if (!Directory.Exists(start)) return [];
        return Directory.EnumerateFiles(start, pattern, SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Intersect(Built).Any());
    }

    public static IEnumerable<string> Projects => Files("src", "*.csproj").Concat(Files("tests", "*.csproj")).Concat(Files("benchmarks", "*.csproj"));

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ImapDirector.sln"))) return folder.FullName;
        }
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds ImapDirector.sln.");
    }
}

/// <summary>A source file, read once.</summary>
internal sealed partial class SourceFile(string path)
{
    private readonly string[] _lines = File.ReadAllLines(System.IO.Path.Combine(Repository.Root, path));

    public string Path => path;

    public IReadOnlyList<string> Lines => _lines;

    /// <summary>The text without comments, its lines kept.</summary>
    public string Code => field ??= string.Join('\n', _lines.Select(static line => Comment().Replace(line, "")));

    public bool IsBelow(string folder) => path.StartsWith(folder + "/", StringComparison.Ordinal);

    /// <summary>Each match in the code, as <c>path:line: text</c>.</summary>
    public IEnumerable<string> Find(Regex pattern) => pattern.Matches(Code)
        .Select(match => $"{path}:{1 + Code.AsSpan(0, match.Index).Count('\n')}: {match.Value.Trim()}");

    // A "//" after a colon is an address in a string; no code here divides by a comment.
    [GeneratedRegex(@"(?<![:""\w])//.*$")]
    private static partial Regex Comment();
}

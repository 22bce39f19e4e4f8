using Xunit;

namespace ImapDirector.Tests.Shared;

/// <summary>A fact that is reported as skipped where a program is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactIfInstalledAttribute : FactAttribute
{
    public FactIfInstalledAttribute(params string[] programs) => Skip = InstalledPrograms.ReasonToSkip(programs);
}

/// <summary>A theory that is reported as skipped where a program is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TheoryIfInstalledAttribute : TheoryAttribute
{
    public TheoryIfInstalledAttribute(params string[] programs) => Skip = InstalledPrograms.ReasonToSkip(programs);
}

public static class InstalledPrograms
{
    /// <summary><c>null</c> when all the programs are in the path.</summary>
    public static string? ReasonToSkip(params ReadOnlySpan<string> programs)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        foreach (var program in programs)
            if (!folders.Any(folder => File.Exists(Path.Combine(folder, program)))) return $"{program} is not installed";
        return null;
    }
}

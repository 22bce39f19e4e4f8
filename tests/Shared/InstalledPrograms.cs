using Xunit;

namespace ImapDirector.Tests.Shared;

/// <summary>A fact that is reported as skipped where a program is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactIfInstalledAttribute : FactAttribute
{
    public FactIfInstalledAttribute(string program) => Skip = InstalledPrograms.ReasonToSkip(program);
}

/// <summary>A theory that is reported as skipped where a program is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TheoryIfInstalledAttribute : TheoryAttribute
{
    public TheoryIfInstalledAttribute(string program) => Skip = InstalledPrograms.ReasonToSkip(program);
}

public static class InstalledPrograms
{
    /// <summary><c>null</c> when the program is in the path.</summary>
    public static string? ReasonToSkip(string program)
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program))) ? null : $"{program} is not installed";
    }
}

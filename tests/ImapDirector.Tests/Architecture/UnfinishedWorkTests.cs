using System.Text.RegularExpressions;
using Xunit;

namespace ImapDirector.Tests.Architecture;

public sealed partial class UnfinishedWorkTests
{
    [Fact]
    public void Nothing_is_left_for_later() =>
        Assert.Empty(Repository.Sources.SelectMany(file => file.Lines.Select((line, index) => (file.Path, Number: index + 1, Line: line)))
            .Where(line => Note().IsMatch(line.Line)).Select(line => $"{line.Path}:{line.Number}: {line.Line.Trim()}"));

    [Fact]
    public void Nothing_throws_instead_of_working() =>
        Assert.Empty(Assemblies.Calls.Where(call => call.Callee.Name == ".ctor" && call.Callee.DeclaringType.FullName == "System.NotImplementedException").Select(call => call.Caller.FullName));

    [GeneratedRegex(@"\b(TODO|FIXME)\b")]
    private static partial Regex Note();
}

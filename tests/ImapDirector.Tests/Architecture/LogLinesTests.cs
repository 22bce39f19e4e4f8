using System.Text.RegularExpressions;
using Xunit;

namespace ImapDirector.Tests.Architecture;

public sealed partial class LogLinesTests
{
    private static readonly string[] Secret = ["password", "passwords", "secret", "token", "credential", "credentials", "passphrase", "challenge", "response", "key", "hash", "salt", "body", "content", "text", "literal"];

    private static readonly IReadOnlyList<(string Method, int Id, string Template)> Lines = [.. Declared()];

    [Fact]
    public void There_are_log_lines_to_look_at() => Assert.Contains(Lines, line => line.Template.Contains("{ConnectionId}", StringComparison.Ordinal));

    [Fact]
    public void No_line_has_a_place_for_a_secret_or_for_mail() =>
        Assert.Empty(Lines.Where(line => Placeholder().Matches(line.Template).SelectMany(match => Word().Matches(match.Groups[1].Value)).Any(word => Secret.Contains(word.Value.ToLowerInvariant())))
            .Select(line => $"{line.Method}: {line.Template}"));

    [Fact]
    public void An_event_id_names_one_event() =>
        Assert.Empty(Lines.GroupBy(line => line.Id).Where(group => group.Count() > 1).Select(group => string.Join(", ", group.Select(line => $"{line.Id} {line.Method}"))));

    private static IEnumerable<(string Method, int Id, string Template)> Declared()
    {
        foreach (var method in Assemblies.Methods)
        {
            foreach (var attribute in method.CustomAttributes.Where(attribute => attribute.AttributeType.Name == "LoggerMessageAttribute"))
            {
                var values = attribute.ConstructorArguments.Select(argument => argument.Value).Concat(attribute.Properties.Select(property => property.Argument.Value)).ToArray();
                // In either way to write it: the event id and the level are numbers, in this order, and the template is the first text.
                yield return (method.FullName, values.OfType<int>().First(), values.OfType<string>().First());
            }
        }
    }

    [GeneratedRegex(@"\{@?(\w+)")]
    private static partial Regex Placeholder();

    [GeneratedRegex("[A-Z][a-z]*|[a-z]+")]
    private static partial Regex Word();
}

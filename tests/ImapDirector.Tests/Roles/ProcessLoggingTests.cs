using ImapDirector.Configuration;
using ImapDirector.Roles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Xunit;

namespace ImapDirector.Tests.Roles;

/// <summary>What reaches the log, whoever has chosen the words.</summary>
public sealed class ProcessLoggingTests
{
    private const string Hostile = "x\r\n2026-01-01T00:00:00.000Z info: forged[1]\t\u001b[2J\u0000\u007f\u0085\u009b\u2028\u2029\u202e\u200f\ud800 caf\u00e9";

    [Theory]
    [InlineData("Text")]
    [InlineData("Json")]
    [InlineData("Systemd")]
    public void An_entry_is_one_line_of_visible_letters_whatever_strangers_have_put_into_it(string format)
    {
        var line = Write(format, Hostile, new InvalidOperationException(Hostile));
        Assert.EndsWith("\n", line, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]", line[..^1]);
        Assert.Contains("forged", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Text", @"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warn: Some\.Category\[7\] hello \\ caf\u00e9\n\z")]
    [InlineData("Systemd", @"\A<4>Some\.Category\[7\] hello \\ caf\u00e9\n\z")]
    public void What_is_visible_stays_as_it_is(string format, string expected) => Assert.Matches(expected, Write(format, "hello \\ caf\u00e9", null));

    [Fact]
    public void What_is_not_is_told_by_its_number() => Assert.EndsWith(@"[7] a\u{a}b\u{202e}c" + "\n", Write("Systemd", "a\nb\u202ec", null), StringComparison.Ordinal);

    private static string Write(string format, string message, Exception? exception)
    {
        using var services = new ServiceCollection().AddLogging(logging => ProcessLogging.Configure(logging, new LogThreshold(LogLevel.Information), Enum.Parse<LogFormat>(format))).BuildServiceProvider();
        var name = services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName;
        var formatter = services.GetServices<ConsoleFormatter>().Single(one => one.Name == name);
        using var text = new StringWriter();
        formatter.Write(new LogEntry<string>(LogLevel.Warning, "Some.Category", new EventId(7), message, exception, static (state, _) => state), null, text);
        return text.ToString();
    }
}

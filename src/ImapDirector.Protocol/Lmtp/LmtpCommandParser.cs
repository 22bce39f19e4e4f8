using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using ImapDirector.Protocol.Assertions;

namespace ImapDirector.Protocol.Lmtp;

/// <summary>Parses a command line. Pure and total: any bytes give a command or the reason why they are none.</summary>
public static class LmtpCommandParser
{
    /// <summary>The longest verb, in bytes (limits L2).</summary>
    public const int MaxVerbBytes = 32;

    private const int MaxNameLength = 255;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Parses <paramref name="line"/>, which has been read without its CRLF.</summary>
    /// <param name="line">The line.</param>
    /// <param name="command">The command.</param>
    /// <param name="error">Why there is none.</param>
    public static bool TryParse(ReadOnlySpan<byte> line, [NotNullWhen(true)] out LmtpCommand? command, out LmtpSyntaxError error)
    {
        (command, error) = Parse(line);
        return command is not null;
    }

    private static (LmtpCommand? Command, LmtpSyntaxError Error) Parse(ReadOnlySpan<byte> line)
    {
        if (!TryDecode(line, out var text)) return (null, Unprintable(line));
        // RFC 5321 section 4.1.1: white space at the end is tolerated.
        var rest = text.AsSpan().TrimEnd(' ');
        var space = rest.IndexOf(' ');
        var verb = space < 0 ? rest : rest[..space];
        var arguments = space < 0 ? [] : rest[(space + 1)..];
        if (verb.Length is 0 or > MaxVerbBytes) return (null, LmtpSyntaxError.NoVerb);
        return verb.Length == 4 ? ParseVerb(verb, arguments) : (null, LmtpSyntaxError.UnknownCommand);
    }

    private static (LmtpCommand? Command, LmtpSyntaxError Error) ParseVerb(ReadOnlySpan<char> verb, ReadOnlySpan<char> arguments)
    {
        Span<char> name = stackalloc char[4];
        verb.ToUpperInvariant(name);
        return name switch
        {
            "LHLO" => Lhlo(arguments),
            "MAIL" => Mail(arguments),
            "RCPT" => Rcpt(arguments),
            "DATA" => Bare(new DataCommand(), arguments),
            "BDAT" => Bdat(arguments),
            "RSET" => Bare(new RsetCommand(), arguments),
            "QUIT" => Bare(new QuitCommand(), arguments),
            "NOOP" => (new NoopCommand(), LmtpSyntaxError.None),
            "VRFY" => arguments.IsEmpty ? (null, LmtpSyntaxError.Arguments) : (new VrfyCommand(), LmtpSyntaxError.None),
            _ => (null, LmtpSyntaxError.UnknownCommand),
        };
    }

    // What is wrong may be in an address that came to the client from somebody else.
    private static LmtpSyntaxError Unprintable(ReadOnlySpan<byte> line)
    {
        if (Ascii.EqualsIgnoreCase(line[..Math.Min(line.Length, 10)], "MAIL FROM:"u8)) return LmtpSyntaxError.Sender;
        return Ascii.EqualsIgnoreCase(line[..Math.Min(line.Length, 8)], "RCPT TO:"u8) ? LmtpSyntaxError.Recipient : LmtpSyntaxError.Unprintable;
    }

    private static bool TryDecode(ReadOnlySpan<byte> line, out string text)
    {
        text = "";
        try
        {
            text = Strict.GetString(line);
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
        foreach (var letter in text)
            if (char.IsControl(letter)) return false;
        return true;
    }

    private static (LmtpCommand?, LmtpSyntaxError) Bare(LmtpCommand command, ReadOnlySpan<char> arguments) =>
        arguments.IsEmpty ? (command, LmtpSyntaxError.None) : (null, LmtpSyntaxError.Arguments);

    // The name ends up in a Received header: what could pass for something else there is refused here.
    private static (LmtpCommand?, LmtpSyntaxError) Lhlo(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MaxNameLength) return (null, LmtpSyntaxError.Arguments);
        foreach (var letter in name)
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('.' or '-' or '_' or ':' or '[' or ']')) return (null, LmtpSyntaxError.Arguments);
        return (new LhloCommand(name.ToString()), LmtpSyntaxError.None);
    }

    private static (LmtpCommand?, LmtpSyntaxError) Mail(ReadOnlySpan<char> arguments)
    {
        if (!arguments.StartsWith("FROM:", StringComparison.OrdinalIgnoreCase)) return (null, LmtpSyntaxError.Arguments);
        var rest = arguments[5..];
        if (!LmtpPath.TryTake(ref rest, out var path)) return (null, LmtpSyntaxError.Sender);
        var (isUtf8, is8Bit, hasBody) = (false, false, false);
        long? size = null;
        var status = DeliveryStatusParameters.None;
        foreach (var range in rest.Split(' '))
        {
            var parameter = rest[range];
            // Before the first one, and where somebody wrote two spaces.
            if (parameter.IsEmpty) continue;
            var equals = parameter.IndexOf('=');
            var keyword = equals < 0 ? parameter : parameter[..equals];
            var value = equals < 0 ? default : parameter[(equals + 1)..];
            if (keyword.Equals("SIZE", StringComparison.OrdinalIgnoreCase))
            {
                if (size is not null || Size(value) is not { } announced) return (null, LmtpSyntaxError.ParameterValue);
                size = announced;
            }
            else if (keyword.Equals("BODY", StringComparison.OrdinalIgnoreCase))
            {
                is8Bit = value.Equals("8BITMIME", StringComparison.OrdinalIgnoreCase);
                if (hasBody || (!is8Bit && !value.Equals("7BIT", StringComparison.OrdinalIgnoreCase))) return (null, LmtpSyntaxError.ParameterValue);
                hasBody = true;
            }
            else if (keyword.Equals("SMTPUTF8", StringComparison.OrdinalIgnoreCase))
            {
                if (isUtf8 || equals >= 0) return (null, LmtpSyntaxError.ParameterValue);
                isUtf8 = true;
            }
            else if (DeliveryStatusParameters.OfMail(keyword, value, ref status) is { } isRight)
            {
                if (!isRight) return (null, LmtpSyntaxError.ParameterValue);
            }
            else
            {
                return (null, LmtpSyntaxError.UnknownParameter);
            }
        }
        return isUtf8 || Ascii.IsValid(path.Written)
            ? (new MailCommand(path.Written, size, is8Bit, isUtf8), LmtpSyntaxError.None)
            : (null, LmtpSyntaxError.SenderNeedsUtf8);
    }

    private static (LmtpCommand?, LmtpSyntaxError) Rcpt(ReadOnlySpan<char> arguments)
    {
        if (!arguments.StartsWith("TO:", StringComparison.OrdinalIgnoreCase)) return (null, LmtpSyntaxError.Arguments);
        var rest = arguments[3..];
        if (!LmtpPath.TryTake(ref rest, out var path) || path.Resolved is not { } address) return (null, LmtpSyntaxError.Recipient);
        var status = DeliveryStatusParameters.None;
        string? assertion = null;
        foreach (var range in rest.Split(' '))
        {
            var parameter = rest[range];
            if (parameter.IsEmpty) continue;
            var equals = parameter.IndexOf('=');
            if (equals > 0 && parameter[..equals].Equals("XASSERTION", StringComparison.OrdinalIgnoreCase))
            {
                if (assertion is not null || !IsToken(parameter[(equals + 1)..])) return (null, LmtpSyntaxError.ParameterValue);
                assertion = parameter[(equals + 1)..].ToString();
                continue;
            }
            if (equals < 0 || DeliveryStatusParameters.OfRecipient(parameter[..equals], parameter[(equals + 1)..], ref status) is not { } isRight)
                return (null, LmtpSyntaxError.UnknownParameter);
            if (!isRight) return (null, LmtpSyntaxError.ParameterValue);
        }
        return (new RcptCommand(address) { Assertion = assertion }, LmtpSyntaxError.None);
    }

    private static bool IsToken(ReadOnlySpan<char> value)
    {
        if (value.Length is 0 or > AssertionVerifier.MaxTokenBytes) return false;
        foreach (var letter in value)
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('.' or '-' or '_')) return false;
        return true;
    }

    private static (LmtpCommand?, LmtpSyntaxError) Bdat(ReadOnlySpan<char> arguments)
    {
        var space = arguments.IndexOf(' ');
        var isLast = space >= 0;
        if (isLast && !arguments[(space + 1)..].Equals("LAST", StringComparison.OrdinalIgnoreCase)) return (null, LmtpSyntaxError.Arguments);
        return Size(isLast ? arguments[..space] : arguments) is { } size ? (new BdatCommand(size, isLast), LmtpSyntaxError.None) : (null, LmtpSyntaxError.Arguments);
    }

    // RFC 1870: 1 to 20 digits. A number that no machine can hold is as good as the largest that one can.
    private static long? Size(ReadOnlySpan<char> digits)
    {
        if (digits.Length is 0 or > 20 || digits.ContainsAnyExceptInRange('0', '9')) return null;
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : long.MaxValue;
    }
}

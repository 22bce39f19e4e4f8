using System.Text;
using CsCheck;
using ImapDirector.Protocol.Lmtp;
using Xunit;

namespace ImapDirector.Protocol.Tests.Lmtp;

public sealed class LmtpCommandParserTests
{
    public static TheoryData<string, LmtpCommand> Commands => new()
    {
        { "LHLO mx.example.net", new LhloCommand("mx.example.net") },
        { "lhlo [192.0.2.1]", new LhloCommand("[192.0.2.1]") },
        { "LHLO [IPv6:2001:db8::1]  ", new LhloCommand("[IPv6:2001:db8::1]") },
        { "DATA", new DataCommand() },
        { "data ", new DataCommand() },
        { "BDAT 0", new BdatCommand(0, false) },
        { "bdat 86 last", new BdatCommand(86, true) },
        { "BDAT 99999999999999999999 LAST", new BdatCommand(long.MaxValue, true) },
        { "RSET", new RsetCommand() },
        { "QuIt", new QuitCommand() },
        { "NOOP", new NoopCommand() },
        { "NOOP \"\"", new NoopCommand() },
        { "NOOP anything at <all>", new NoopCommand() },
        { "VRFY alice", new VrfyCommand() },
        { "MAIL FROM:<> RET=full ENVID=a+3Db SIZE=1", new MailCommand("", 1, false, false) },
        { "RCPT TO:<a@b.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bc@b.example", new RcptCommand("a@b.example") },
        { "MAIL FROM:<>", new MailCommand("", null, false, false) },
        { "mail from:<a@b.example>", new MailCommand("a@b.example", null, false, false) },
        { "MAIL FROM:<a@b.example> SIZE=123 BODY=8BITMIME", new MailCommand("a@b.example", 123, true, false) },
        { "MAIL FROM:<a@b.example>  body=7bit  size=0", new MailCommand("a@b.example", 0, false, false) },
        { "MAIL FROM:<a@b.example> SIZE=99999999999999999999", new MailCommand("a@b.example", long.MaxValue, false, false) },
        { "MAIL FROM:<d\u00f6ner@b\u00fccher.example> SMTPUTF8", new MailCommand("d\u00f6ner@b\u00fccher.example", null, false, true) },
        { "MAIL FROM:<\"a b\"@b.example>", new MailCommand("\"a b\"@b.example", null, false, false) },
        { "MAIL FROM:<\"a>b\"@b.example>", new MailCommand("\"a>b\"@b.example", null, false, false) },
        { "MAIL FROM:<\"\\\"\"@b.example>", new MailCommand("\"\\\"\"@b.example", null, false, false) },
        { "MAIL FROM:<@relay.example,@other.example:a@b.example>", new MailCommand("a@b.example", null, false, false) },
        { "MAIL FROM:<a@[192.0.2.1]>", new MailCommand("a@[192.0.2.1]", null, false, false) },
        { "MAIL FROM:<a+b=c/d'e@b_c.example>", new MailCommand("a+b=c/d'e@b_c.example", null, false, false) },
        { "RCPT TO:<alice@example.com>", new RcptCommand("alice@example.com") },
        { "rcpt to:<alice>", new RcptCommand("alice") },
        { "RCPT TO:<\"alice\"@example.com>", new RcptCommand("alice@example.com") },
        { "RCPT TO:<\"al\\ice b\"@example.com>", new RcptCommand("alice b@example.com") },
        { "RCPT TO:<\"\"@example.com>", new RcptCommand("@example.com") },
        { "RCPT TO:<\"\">", new RcptCommand("") },
        { "RCPT TO:<@relay.example:alice@example.com>", new RcptCommand("alice@example.com") },
        { "RCPT TO:<d\u00f6ner@example.com>", new RcptCommand("d\u00f6ner@example.com") },
    };

    public static TheoryData<string, LmtpSyntaxError> Refusals => new()
    {
        { "", LmtpSyntaxError.NoVerb },
        { " ", LmtpSyntaxError.NoVerb },
        { " QUIT", LmtpSyntaxError.NoVerb },
        { "EHLO mx.example.net", LmtpSyntaxError.UnknownCommand },
        { "HELO mx.example.net", LmtpSyntaxError.UnknownCommand },
        { "STARTTLS", LmtpSyntaxError.UnknownCommand },
        { "GET / HTTP/1.1", LmtpSyntaxError.UnknownCommand },
        { "L\u0130LO x", LmtpSyntaxError.UnknownCommand },
        { "LHLO", LmtpSyntaxError.Arguments },
        { "LHLO a b", LmtpSyntaxError.Arguments },
        { "LHLO a(b)", LmtpSyntaxError.Arguments },
        { "LHLO b\u00fccher.example", LmtpSyntaxError.Arguments },
        { "LHLO  mx", LmtpSyntaxError.Arguments },
        { "DATA now", LmtpSyntaxError.Arguments },
        { "MAIL FROM:<a@b.example> MTRK=x", LmtpSyntaxError.UnknownParameter },
        { "RCPT TO:<a@b.example> X=1", LmtpSyntaxError.UnknownParameter },
        { "BDAT", LmtpSyntaxError.Arguments },
        { "BDAT -1", LmtpSyntaxError.Arguments },
        { "BDAT 1 LAST LAST", LmtpSyntaxError.Arguments },
        { "MAIL FROM:<> RET=FULL RET=FULL", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<> ENVID=", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<> ENVID=a+3", LmtpSyntaxError.ParameterValue },
        { "RCPT TO:<a@b.example> NOTIFY=", LmtpSyntaxError.ParameterValue },
        { "RCPT TO:<a@b.example> NOTIFY=SUCCESS,SUCCESS,DELAY,DELAY", LmtpSyntaxError.ParameterValue },
        { "RCPT TO:<a@b.example> ORCPT=rfc822", LmtpSyntaxError.ParameterValue },
        { "RSET now", LmtpSyntaxError.Arguments },
        { "QUIT now", LmtpSyntaxError.Arguments },
        { "VRFY", LmtpSyntaxError.Arguments },
        { "MAIL", LmtpSyntaxError.Arguments },
        { "MAIL a@b.example", LmtpSyntaxError.Arguments },
        { "MAIL TO:<a@b.example>", LmtpSyntaxError.Arguments },
        { "RCPT FROM:<a@b.example>", LmtpSyntaxError.Arguments },
        { "RCPT", LmtpSyntaxError.Arguments },
        { "NOOP\t", LmtpSyntaxError.Unprintable },
        { "QUIT\n", LmtpSyntaxError.Unprintable },
        { "QUIT\r", LmtpSyntaxError.Unprintable },
        { "NOOP \0", LmtpSyntaxError.Unprintable },
        { "NOOP \u0085", LmtpSyntaxError.Unprintable },
        { "RCPT TO:<a\rb@example.com>", LmtpSyntaxError.Recipient },
        { "MAIL FROM:<a\nb@example.com>", LmtpSyntaxError.Sender },
        { "MAIL FROM:a@b.example", LmtpSyntaxError.Sender },
        { "MAIL FROM: <a@b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a@b.example", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a@b.example>SIZE=1", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a b@b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a@b@c.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<@b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<@relay.example:>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<@relay.example:@b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<@:a@b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a@>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a@.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a@b..example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a@-b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a@[]>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a@[1]2]>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<.a@b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a.@b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<a..b@b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<<>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<\"a@b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:<\"a\\", LmtpSyntaxError.Sender },
        { "MAIL FROM:<\"a\"b@b.example>", LmtpSyntaxError.Sender },
        { "MAIL FROM:", LmtpSyntaxError.Sender },
        { "MAIL FROM:<\u00e9@b.example>", LmtpSyntaxError.SenderNeedsUtf8 },
        { "MAIL FROM:<a@b.example> SIZE=", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<a@b.example> SIZE", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<a@b.example> SIZE=-1", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<a@b.example> SIZE=1x", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<a@b.example> SIZE=100000000000000000000", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<a@b.example> SIZE=1 SIZE=1", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<a@b.example> BODY=BINARYMIME", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<a@b.example> BODY=7BIT BODY=8BITMIME", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<a@b.example> SMTPUTF8=yes", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<a@b.example> SMTPUTF8 SMTPUTF8", LmtpSyntaxError.ParameterValue },
        { "MAIL FROM:<a@b.example> AUTH=<>", LmtpSyntaxError.UnknownParameter },
        { "RCPT TO:<>", LmtpSyntaxError.Recipient },
        { "RCPT TO:<@b.example>", LmtpSyntaxError.Recipient },
        { "RCPT TO:alice", LmtpSyntaxError.Recipient },
        { "RCPT TO:<\"alice@example.com\">", LmtpSyntaxError.Recipient },
        { "RCPT TO:<\"alice@example.com\"@evil.example>", LmtpSyntaxError.Recipient },
        { "RCPT TO:<\"\\@\">", LmtpSyntaxError.Recipient },
    };

    [Theory]
    [MemberData(nameof(Commands))]
    public void Each_command_is_understood(string line, LmtpCommand command) => Assert.Equal((command, LmtpSyntaxError.None), Parse(line));

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_is_no_command_is_refused_with_its_reason(string line, LmtpSyntaxError error) => Assert.Equal((null, error), Parse(line));

    [Theory]
    [InlineData(31, LmtpSyntaxError.UnknownCommand)]
    [InlineData(32, LmtpSyntaxError.UnknownCommand)]
    [InlineData(33, LmtpSyntaxError.NoVerb)]
    public void L2_A_verb_has_at_most_32_bytes(int bytes, LmtpSyntaxError error) => Assert.Equal(error, Parse(new string('x', bytes)).Error);

    [Theory]
    [InlineData(511, LmtpSyntaxError.None)]
    [InlineData(512, LmtpSyntaxError.None)]
    [InlineData(513, LmtpSyntaxError.Sender)]
    public void A_path_has_at_most_512_characters(int length, LmtpSyntaxError error) =>
        Assert.Equal(error, Parse($"MAIL FROM:<{new string('a', length - "@example.com".Length)}@example.com>").Error);

    [Theory]
    [InlineData(255, LmtpSyntaxError.None)]
    [InlineData(256, LmtpSyntaxError.Arguments)]
    public void A_client_name_has_at_most_255_characters(int length, LmtpSyntaxError error) => Assert.Equal(error, Parse("LHLO " + new string('a', length)).Error);

    [Fact]
    public void Bytes_that_are_no_UTF_8_are_refused_and_in_an_address_it_is_the_address_that_is()
    {
        Assert.Equal(LmtpSyntaxError.Recipient, Parse([.. "RCPT TO:<a"u8, 0xC3, .. "@example.com>"u8]).Error);
        Assert.Equal(LmtpSyntaxError.Sender, Parse([.. "mail from:<a"u8, 0xC0, 0xAF, .. "@example.com>"u8]).Error);
        Assert.Equal(LmtpSyntaxError.Unprintable, Parse([.. "NOOP "u8, 0xFF]).Error);
    }

    [Fact]
    public void Whatever_is_accepted_can_be_written_again_on_one_line_and_reads_the_same()
    {
        var address = Gen.String[Gen.Char["ab.@\"\\<>[]:, \u00e9\r\n\0-"], 0, 20];
        address.Sample(text =>
        {
            if (Parse($"MAIL FROM:<{text}> SMTPUTF8").Command is MailCommand mail)
            {
                Assert.DoesNotContain(mail.ReversePath, char.IsControl);
                Assert.Equal(mail, Parse($"MAIL FROM:<{mail.ReversePath}> SMTPUTF8").Command);
            }
            if (Parse($"RCPT TO:<{text}>").Command is RcptCommand rcpt) Assert.DoesNotContain(rcpt.Address, char.IsControl);
        }, iter: 20_000);
    }

    private static (LmtpCommand? Command, LmtpSyntaxError Error) Parse(string line) => Parse(Encoding.UTF8.GetBytes(line));

    private static (LmtpCommand? Command, LmtpSyntaxError Error) Parse(byte[] line)
    {
        Assert.Equal(LmtpCommandParser.TryParse(line, out var command, out var error), error == LmtpSyntaxError.None);
        return (command, error);
    }
}

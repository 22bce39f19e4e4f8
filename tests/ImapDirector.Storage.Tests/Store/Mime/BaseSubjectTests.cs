using ImapDirector.Storage.Store.Mime;
using Xunit;

namespace ImapDirector.Storage.Tests.Store.Mime;

public sealed class BaseSubjectTests
{
    [Theory]
    [InlineData("", "", false)]
    [InlineData("hello  world", "hello world", false)]
    [InlineData("Re: hello", "hello", true)]
    [InlineData("RE:re : Fwd: hello", "hello", true)]
    [InlineData("fw: hello", "hello", true)]
    [InlineData("[list] hello", "hello", false)]
    [InlineData("[list] Re: [other] hello", "hello", true)]
    [InlineData("Re[2]: hello", "hello", true)]
    [InlineData("[list]", "[list]", false)]
    [InlineData("Re: [list]", "[list]", true)]
    [InlineData("hello (fwd)  (FWD) ", "hello", true)]
    [InlineData("[Fwd: Re: hello]", "hello", true)]
    [InlineData("[fwd: [fwd: x (fwd)]]", "x", true)]
    [InlineData("reply: hello", "reply: hello", false)]
    [InlineData("[broken hello", "[broken hello", false)]
    [InlineData("Re", "Re", false)]
    [InlineData("Re:", "", true)]
    public void What_replies_and_forwards_put_around_a_subject_is_taken_off(string subject, string text, bool isReply) =>
        Assert.Equal((text, isReply), BaseSubject.Of(subject));
}

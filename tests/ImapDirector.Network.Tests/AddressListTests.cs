using System.Net;
using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class AddressListTests
{
    private static readonly IPNetwork[] Networks = [IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("2001:db8::/32")];

    [Theory]
    [InlineData("10.1.2.3", true, true)]
    [InlineData("::ffff:10.1.2.3", true, true)]
    [InlineData("2001:db8::1", true, true)]
    [InlineData("11.0.0.1", false, false)]
    [InlineData("2001:db9::1", false, false)]
    [InlineData("127.0.0.1", false, true)]
    [InlineData("::1", false, true)]
    [InlineData("::ffff:127.0.0.1", false, true)]
    public void An_address_is_in_a_list_however_its_socket_writes_it_and_loopback_is_trusted_without(string text, bool isIn, bool isTrusted)
    {
        var address = IPAddress.Parse(text);
        Assert.Equal((isIn, isTrusted), (AddressList.Contains(Networks, address), AddressList.IsTrusted(Networks, address)));
    }
}
